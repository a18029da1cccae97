// The stack: tracks, curves, rings, and the thumbnails of the heads above them.

const THUMB_FITS = 26 // width of a column from which on a thumbnail of its attention fits
const WEAK = 0.1 // a share below which a curve fades while a token is pointed at

const unreachable = (view, position) => position > view.data.followed

// Outline of a track: where its width changes, from left to right.
function bandPath(y, nodes) {
  const side = (list, sign) => {
    let d = ""
    list.forEach(([x, w], i) => {
      const at = y + (sign * w) / 2
      if (i === 0) d += `${sign < 0 ? "M" : "L"}${x.toFixed(1)} ${at.toFixed(2)}`
      else {
        const [x0, w0] = list[i - 1]
        const before = y + (sign * w0) / 2
        const half = ((x0 + x) / 2).toFixed(1)
        d += w0 === w ? `H${x.toFixed(1)}` : `C${half} ${before.toFixed(2)} ${half} ${at.toFixed(2)} ${x.toFixed(1)} ${at.toFixed(2)}`
      }
    })
    return d
  }
  return `${side(nodes, -1)}${side([...nodes].reverse(), 1)}Z`
}

function trackPath(view, row, i) {
  const { at, data } = view
  const n = data.rows.length
  const width = (values, b) => trackWidth(view, row, values[b * n + i])
  const nodes = [[at.stack - 8, width(data.lengths, 0)]]
  at.blocks.forEach(({ x, w }, b) => {
    const before = width(data.lengths, b)
    const middle = width(data.middles, b)
    const after = width(data.lengths, b + 1)
    if (w < 12) nodes.push([x + w * 0.4, before], [x + w, after])
    else nodes.push([x + w * 0.46, before], [x + w * 0.68, middle], [x + w * 0.76, middle], [x + w * 0.98, after])
  })
  nodes.push([at.end + 2, width(data.lengths, data.config.n_layers)], [at.norm, normWidth(row)], [at.tip, normWidth(row)])
  return bandPath(row.y, nodes)
}

function drawTracks(view) {
  const { at, data } = view
  at.places.forEach((row, i) => {
    const followed = row.position === data.followed
    const fade = unreachable(view, row.position) ? 0.4 : undefined
    const d = trackPath(view, row, i)
    for (const layer of [view.dim, view.bright]) {
      const group = followed ? layer.followed : layer.others
      group.append(make("path", { d, class: followed ? "track followed" : "track", opacity: fade, "data-position": row.position }))
    }
    drawBreaks(view, row, i)
  })
}

// A track longer than the scale is cut, and carries a mark that says so.
function drawBreaks(view, row, i) {
  const { at, data } = view
  const n = data.rows.length
  at.blocks.forEach(({ x, w }, b) => {
    if (data.lengths[(b + 1) * n + i] <= data.top * 1.001 || w < 16) return
    const half = row.most / 2 + 1.5
    const d = [0, 5].map((shift) => `M${x + w - 4 + shift} ${row.y + half}l4 ${-2 * half}`).join("")
    view.column(`block${b}`).append(make("path", { d, class: "break" }))
  })
}

function drawCurves(view) {
  const { at, data } = view
  const places = new Map(at.places.map((row) => [row.position, row]))
  const gap = at.places.length > 1 ? (at.places[0].y + at.places[1].y) / 2 : 0
  const scale = Math.max(0.45, Math.min(1, at.pitch / 35)) * 9
  view.curves = []
  view.looking = null
  for (let c = 0; c < data.curve_blocks.length; c++) {
    const block = data.curve_blocks[c]
    const query = data.curve_queries[c]
    const followed = query === data.followed
    if (!followed && at.plain < 22 && block !== at.open) continue
    const to = places.get(query)
    const from = places.get(data.curve_keys[c])
    const value = data.curve_shares[c]
    const [x0, x1] = curveEnds(view, block)
    const y0 = from ? from.y : gap
    const thin = (to.open ? 1 : 0.6) * (at.blocks[block].w < 22 ? 0.6 : 1)
    const kind = `curve${followed ? " followed" : ""}${value < WEAK ? " weak" : ""}`
    const path = make("path", {
      d: curvePath(x0, y0, x1, to.y), class: kind,
      "stroke-width": Math.max(0.7, value * scale * thin).toFixed(2), pathLength: 1,
      "stroke-opacity": (followed ? 0.36 + 0.6 * value : 0.2 + 0.55 * value) * (unreachable(view, query) ? 0.4 : 1),
    })
    view[followed ? "column" : "under"](`block${block}`).append(path)
    const curve = { c, block, query, key: data.curve_keys[c], y0, y1: to.y, x0, x1, path, followed }
    view.curves.push(curve)
    if (!followed) continue
    path.setAttribute("role", "img")
    path.setAttribute("aria-label", curveLines(view, curve).join(". "))
  }
}

function ringRadius(view, row, value) {
  const most = Math.min(9.5, row.pitch * 0.27) * (row.open ? 1 : 0.6)
  return Math.min(most * 1.2, most * Math.sqrt(value / view.data.most_written))
}

function drawRings(view) {
  const { at, data } = view
  const n = data.rows.length
  view.rings = []
  at.blocks.forEach(({ x, w }, b) => {
    if (at.plain < 22 && b !== at.open) return
    at.places.forEach((row, i) => {
      if (!row.open && b !== at.open) return
      const followed = row.position === data.followed
      const value = data.writes[b * n + i]
      const r = Math.min(ringRadius(view, row, value), w * 0.17)
      const cx = x + w * RING
      const ring = make("circle", {
        cx, cy: row.y, r: Math.max(0.8, r).toFixed(2), class: `ring${followed ? " followed" : ""}${row.open ? "" : " small"}`,
        opacity: unreachable(view, row.position) ? 0.4 : undefined,
      })
      view.column(`block${b}`).append(ring)
      view.rings.push({ ring, block: b, i, cx, cy: row.y, r: Math.max(4, r), followed })
    })
  })
}

// ---- above the rows: numbers of the blocks, thumbnails of the heads

function drawBlockHeads(view) {
  const { at, data } = view
  const { words } = data
  const seq = colourTable(data.colors.seq, 256)
  const every = at.plain >= 18 ? 1 : Math.ceil(24 / at.plain)
  at.blocks.forEach((block, b) => {
    const { x, w, centre } = block
    if (b % 2 === 0 || b === at.open) {
      view.ground.append(rect(x, 46, w, at.foot - 46, "shade", { rx: Math.min(6, w / 3) }))
    }
    const group = view.column(`block${b}`)
    const named = w >= 64
    const beside = at.open >= 0 && b !== at.open && Math.abs(centre - at.blocks[at.open].centre) < OPEN / 2 + 10
    if (named || (b % every === 0 && !beside)) {
      const label = named ? filled(words.block, { block: b }) : String(b)
      const name = `${filled(words.block, { block: b })}: ${words.open}`
      group.append(link(view, "block", { block: b }, name,
        text(centre, 59, "block", label, { "text-anchor": "middle" })))
    }
    if (w >= THUMB_FITS) drawThumbnails(view, group, b, block, seq)
  })
}

function drawThumbnails(view, group, b, { centre, w }, seq) {
  const { data } = view
  const heads = data.config.n_heads
  const side = data.cells
  if (w >= 80 && data.thumbnails.length) {
    const fit = (lines) => Math.min(46 / lines - 2, (w - 8) / Math.ceil(heads / lines) - 2)
    const lines = [1, 2, 3, 4].reduce((best, k) => (fit(k) > fit(best) ? k : best), 1)
    const size = fit(lines)
    const across = Math.ceil(heads / lines)
    const left = centre - (across * (size + 2) - 2) / 2
    for (let h = 0; h < heads; h++) {
      const x = left + (h % across) * (size + 2)
      const y = 65 + Math.floor(h / across) * (size + 2)
      const start = (b * heads + h) * side * side
      const href = view.picture(`head${b}.${h}`, () => patternPicture(data.thumbnails, start, side, seq))
      thumbnail(view, group, x, y, size, href, { block: b, head: h })
    }
    return
  }
  const size = Math.min(46, w - (w < 40 ? 4 : 8))
  const href = view.picture(`mean${b}`, () => patternPicture(data.means, b * side * side, side, seq))
  thumbnail(view, group, centre - size / 2, 65, size, href, { block: b })
}

function thumbnail(view, group, x, y, size, href, choice) {
  const { data } = view
  const one = "head" in choice
  const kind = one ? data.kinds[choice.block][choice.head] : null
  const says = kind ? filled(data.hover.kind, { kind: data.words.kinds[kind[0]], score: number(kind[1]) }) : ""
  const name = filled(one ? data.hover.head : data.hover.heads, { ...choice, n_heads: data.config.n_heads, kind: says })
  const element = link(view, "attention", choice, name,
    rect(x, y, size, size, "thumb"),
    make("image", { x, y, width: size, height: size, href, class: "pattern", preserveAspectRatio: "none" }),
    rect(x, y, size, size, "thumb-frame"))
  view.tip(element, () => [name, data.side > 1 ? filled(data.hover.cells, { side: data.side }) : ""])
  group.append(aside(element))
}
