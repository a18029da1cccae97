// One cell of an attention pattern, explained: two vectors, their products, four steps to a share.
// Pointing at a cell of the matrices above marks it in all four of them and opens it here. All that
// this takes is here already, so it asks the server for nothing; a click or Enter keeps a cell.

const PITCH = 43
const STRIP = 36
const TOP = 54
const LEFT = 150
const STEP_PITCH = 38
const NARROW = 660 // under this width the steps stand below the strips

// A text with {names}, each of them replaced by what is given for it: a word or an element.
function phrase(template, parts) {
  return template.split(/(\{[a-z_]+\})/).filter(Boolean)
    .map((part) => (/^\{.*\}$/.test(part) ? parts[part.slice(1, -1)] ?? part : part))
}

const span = (className, words, more = {}) => make("tspan", { class: className, ...more }, words)
const raised = (words) => [span("power", words, { dy: -6 }), make("tspan", { dy: 6 }, "\u200b")]
const signed = (value, digits = 2) => (value > 0 ? "+" : "") + number(value, digits)

// ---- the numbers of a cell, from the queries and keys that came from the run

function cellOf({ q, k, log_totals: totals, d_head: d }, query, key) {
  const asks = q.subarray(query * d, (query + 1) * d)
  const answers = k.subarray(key * d, (key + 1) * d)
  const products = Float64Array.from(asks, (value, i) => value * answers[i])
  const dot = products.reduce((sum, one) => sum + one, 0)
  const scaled = dot / Math.sqrt(d)
  const masked = key > query
  return {
    query, key, asks, answers, products, dot, scaled, masked, total: totals[query],
    above: products.reduce((sum, one) => sum + Math.max(one, 0), 0),
    below: products.reduce((sum, one) => sum + Math.min(one, 0), 0),
    share: masked ? 0 : Math.exp(scaled - totals[query]),
  }
}

// ---- the drawing

function words(view, cell) {
  const { labels } = view.data
  const name = (position, room) => fitting(labels[position], room, 16, 650)
  return {
    query: (room = 190) => span("asks", name(cell.query, room)),
    key: (room = 190) => span("answers", name(cell.key, room)),
  }
}

function drawCard(view, cell) {
  const { data, svg } = view
  const wide = view.width >= NARROW
  const right = wide ? Math.round(view.width * 0.56) : view.width - 16
  const said = words(view, cell)
  const title = cell.masked ? data.words.masked_title : data.words.title
  svg.replaceChildren(
    text(18, 32, "title", "", {}),
    ...strips(view, cell, said, [LEFT, right - 52]),
    ...steps(view, cell, wide ? [right + 14, TOP + 12] : [20, TOP + 3 * PITCH + 96]),
  )
  svg.firstChild.append(...phrase(title, { query: said.query(), key: said.key(), share: span("strong", number(cell.share)) }))
  const height = TOP + 3 * PITCH + 72 + (wide ? 0 : 4 * STEP_PITCH)
  svg.setAttribute("width", view.width)
  svg.setAttribute("height", height)
  view.height = height
  view.says.textContent = filled(title, { query: data.labels[cell.query], key: data.labels[cell.key], share: number(cell.share) })
}

function strips(view, cell, said, [x0, x1]) {
  const { data } = view
  const most = Math.max(...cell.products.map(Math.abs)) || 1
  const rows = [
    [phrase(data.words.query_of, { query: said.query(70) }), cell.asks, data.limit],
    [phrase(data.words.key_of, { key: said.key(82) }), cell.answers, data.limit],
    [[data.words.product], cell.products, most],
  ]
  const width = (x1 - x0) / data.d_head
  const gap = width > 5 ? 1 : 0
  view.columns = { x0, x1, width, cell }
  const parts = rows.flatMap(([name, values, limit], row) => {
    const y = TOP + row * PITCH
    const cells = make("g", {}, ...Array.from(values, (value, d) =>
      rect(x0 + d * width, y, width - gap, STRIP, "cell", { fill: colour(view, value / limit) })))
    const label = text(x0 - 26, y + STRIP / 2 + 5, "name", "", { "text-anchor": "end" })
    label.append(...name)
    return [cells, label, text(x1 + 8, y + STRIP / 2 + 4, "tick", `±${number(limit)}`)]
  })
  const signs = ["×", "="].map((sign, row) => text(x0 - 12, TOP + (row + 1) * PITCH - 2, "sign", sign, { "text-anchor": "middle" }))
  view.column = rect(0, TOP - 3, width, 2 * PITCH + STRIP + 6, "column", { visibility: "hidden" })
  view.readout = text(x0, TOP + 3 * PITCH + 30, "note", "")
  const y = TOP + 3 * PITCH + 10
  const sum = filled(data.words.sum, {
    n: data.d_head, dot: number(cell.dot), above: signed(cell.above), below: signed(cell.below),
  })
  showDimension(view, cell, null)
  return [...parts, ...signs, view.column, text(x0, y, "sum", sum), view.readout]
}

function colour(view, part) {
  const at = Math.round(127 + 127 * Math.max(-1, Math.min(1, part)))
  return `rgb(${view.table.slice(at * 3, at * 3 + 3).join(",")})`
}

// The sentence on one dimension; on the one with the largest product where none is pointed at.
function showDimension(view, cell, pointed) {
  const d = pointed ?? cell.products.reduce((best, one, i, all) => (Math.abs(one) > Math.abs(all[best]) ? i : best), 0)
  view.readout.textContent = filled(pointed === null ? view.data.words.largest : view.data.words.dimension, {
    d, query: number(cell.asks[d]), key: number(cell.answers[d]), product: number(cell.products[d]),
  })
  view.column.setAttribute("visibility", pointed === null ? "hidden" : "visible")
  view.column.setAttribute("x", view.columns.x0 + d * view.columns.width)
}

function steps(view, cell, [x, y]) {
  const { data } = view
  const root = number(Math.sqrt(data.d_head))
  const score = cell.masked ? "−∞" : number(cell.scaled)
  const isFar = cell.total < -6 || cell.total > 11
  const total = isFar ? ["e", ...raised(number(cell.total))] : [number(Math.exp(cell.total), Math.exp(cell.total) < 0.995 ? 3 : 2)]
  const rows = [
    ["q · k", [number(cell.dot)]],
    [`÷ √${data.d_head}`, [`${number(cell.dot)} ÷ ${root} = ${number(cell.scaled)}`]],
    [data.words.mask, [filled(cell.masked ? data.words.excluded : data.words.stays, { key: cell.key, query: cell.query, score })]],
    ["softmax", ["e", ...raised(score), " ÷ ", ...total, ` = ${number(cell.share)}`]],
  ]
  return rows.flatMap(([name, said], i) => {
    const middle = y + i * STEP_PITCH
    const line = text(x + 102, middle + 5, i === 3 ? "step last" : "step", "")
    line.append(...said)
    return [
      make("circle", { cx: x + 11, cy: middle, r: 11, class: "number" }),
      text(x + 11, middle + 4.5, "count", String(i + 1), { "text-anchor": "middle" }),
      text(x + 32, middle + 5, "step strong", name),
      line,
    ]
  })
}

// ---- the matrices above: which of their cells is pointed at, and its mark in all four

function plotWithin(root) {
  const found = root?.querySelector(".js-plotly-plot")
  if (found) return found
  for (const element of root?.querySelectorAll("*") ?? []) {
    const inside = element.shadowRoot && plotWithin(element.shadowRoot)
    if (inside) return inside
  }
  return null
}

function plotOf(view) {
  if (!view.plot?.isConnected) view.plot = plotWithin(document.querySelector(`.st-key-tjfig-${view.data.figure}`))
  return view.plot?._fullLayout?.meta?.starts ? view.plot : null
}

function cellAt(view, { clientX, clientY }) {
  const plot = plotOf(view)
  if (!plot) return null
  const box = plot.getBoundingClientRect()
  const [x, y] = [clientX - box.left, clientY - box.top]
  const n = view.data.labels.length
  const { xaxis, yaxis, meta } = plot._fullLayout
  const query = Math.round(yaxis.p2d(y - yaxis._offset))
  const keys = meta.starts.map((start) => Math.round(xaxis.p2d(x - xaxis._offset) - start))
  const key = keys.find((one) => one >= 0 && one < n)
  return key !== undefined && query >= 0 && query < n ? [query, key] : null
}

function markCell(view, query, key) {
  const plot = plotOf(view)
  const place = plot?.querySelector(".svg-container")
  if (!place) return
  if (view.marks?.parentNode !== place) {
    view.marks?.remove()
    view.marks = make("svg", { class: "tj-marks", "aria-hidden": "true", style: "position:absolute;inset:0;width:100%;height:100%;pointer-events:none" })
    place.insertBefore(view.marks, [...place.querySelectorAll(":scope > .main-svg")].at(-1)) // under what is said on hovering
  }
  const page = getComputedStyle(view.root)
  const [ink, ground] = ["--tj-ink", "--tj-bg"].map((name) => page.getPropertyValue(name))
  const outline = (x, y, w, h, stroke, width) =>
    make("rect", { x, y, width: w, height: h, fill: "none", stroke, "stroke-width": width })
  const { xaxis, yaxis, meta } = plot._fullLayout
  const width = Math.max(8, Math.abs(xaxis.d2p(1) - xaxis.d2p(0)))
  const height = Math.max(8, Math.abs(yaxis.d2p(1) - yaxis.d2p(0)))
  const y = yaxis._offset + yaxis.d2p(query)
  const guide = { stroke: ink, "stroke-width": 1, "stroke-dasharray": "2 3" }
  view.marks.replaceChildren(...meta.starts.flatMap((start) => {
    const [left, x] = [start - 0.5, start + key].map((at) => xaxis._offset + xaxis.d2p(at))
    return [
      make("line", { x1: left, x2: x - width / 2, y1: y, y2: y, ...guide }),
      make("line", { x1: x, x2: x, y1: y + height / 2, y2: yaxis._offset + yaxis._length, ...guide }),
      outline(x - width / 2, y - height / 2, width, height, ground, 5),
      outline(x - width / 2, y - height / 2, width, height, ink, 2.5),
    ]
  }))
}

function show(view, query, key) {
  if (view.shown?.[0] === query && view.shown[1] === key) return
  view.shown = [query, key]
  drawCard(view, cellOf(view.data, query, key))
  const isKept = query === view.data.query && key === view.data.key
  if (isKept) view.marks?.replaceChildren()
  else markCell(view, query, key)
  view.root.classList.toggle("peeking", !isKept)
}

const showKept = (view) => show(view, view.data.query, view.data.key)

// ---- pointer and keys

function watchMatrices(view, signal) {
  let frame = 0
  document.addEventListener("pointermove", (event) => {
    cancelAnimationFrame(frame)
    frame = requestAnimationFrame(() => {
      if (!view.root.isConnected || view.root.contains(view.root.getRootNode().activeElement)) return
      const cell = cellAt(view, event)
      if (cell) show(view, ...cell)
      else if (view.shown) showKept(view)
    })
  }, { signal })
}

function watchCard(view) {
  const { root } = view
  root.addEventListener("pointermove", (event) => {
    const { x0, width, cell } = view.columns
    const box = view.svg.getBoundingClientRect()
    const d = Math.floor((event.clientX - box.left - x0) / width)
    const y = event.clientY - box.top
    const inside = d >= 0 && d < view.data.d_head && y > TOP && y < TOP + 3 * PITCH
    showDimension(view, cell, inside ? d : null)
  })
  root.addEventListener("pointerleave", () => showDimension(view, view.columns.cell, null))
  root.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key]
    if (by) {
      const last = view.data.labels.length - 1
      show(view, ...view.shown.map((at, i) => Math.max(0, Math.min(last, at + by[i]))))
    } else if (event.key === "Enter") {
      const [token, key] = view.shown
      view.send("keep", { token, key })
    } else if (event.key === "Escape") showKept(view)
    else return
    event.preventDefault()
  })
  root.addEventListener("focusout", () => showKept(view))
}

function created(root) {
  const svg = make("svg", { class: "card", "aria-hidden": "true" })
  const says = html("p", { class: "says", "aria-live": "polite" })
  root.append(svg, says)
  root.tabIndex = 0
  root.setAttribute("role", "group")
  const view = { root, svg, says }
  watchCard(view)
  new ResizeObserver(() => {
    if (!root.clientWidth || !view.data || root.clientWidth === view.width) return
    view.width = root.clientWidth
    view.shown = null
    showKept(view)
  }).observe(root)
  offerFile(root, () => fileOf(root, svg, [0, 0, view.width, view.height]))
  return view
}

export default function (component) {
  const { data: bytes, parentElement, setTriggerValue } = component
  let root = parentElement.querySelector(".attention-card")
  if (!root) {
    root = html("div", { class: "attention-card" })
    parentElement.append(root)
  }
  root.view ??= created(root)
  const { view } = root
  view.send = setTriggerValue
  const watching = new AbortController()
  watchMatrices(view, watching.signal)
  if (!sameBytes(view.bytes, bytes)) {
    view.bytes = bytes.slice()
    view.data = unpacked(view.bytes)
    view.table = colourTable(view.data.div, 255)
    view.width = root.clientWidth || view.width || 900
    view.shown = null
    root.setAttribute("aria-label", view.data.words.keys)
    showKept(view)
  }
  return () => {
    watching.abort()
    view.marks?.remove()
  }
}
