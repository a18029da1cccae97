// What a mark says in words when the pointer is on it, or the focus.

function hoverParts(view) {
  const { root } = view
  const box = html("div", { class: "tip", role: "tooltip" })
  box.hidden = true
  root.append(box)

  const show = (lines, x, y) => {
    box.replaceChildren(...lines.filter(Boolean).map((line, i) => html(i ? "span" : "b", {}, line)))
    box.hidden = false
    const width = root.clientWidth
    const half = box.offsetWidth / 2
    const above = y - box.offsetHeight - 14
    box.style.left = `${Math.max(half, Math.min(width - half, x))}px`
    box.style.top = `${above < 0 ? y + 18 : above}px`
  }
  const hide = () => {
    box.hidden = true
    view.lit?.classList.remove("lit")
    view.lit = null
    lookAt(view, null)
  }
  return { show, hide, box }
}

// One token's curves stand out: all others fade, and so do its own weak ones.
function lookAt(view, query) {
  if (view.looking === query) return
  view.looking = query
  view.svg.classList.toggle("looking", query !== null)
  for (const curve of view.curves) curve.path.classList.toggle("own", curve.query === query)
}

// The stack is one surface: which of its marks is nearest to the pointer?
function inStack(view, point) {
  const { at } = view
  if (point.x < at.stack - 8 || point.x > at.tip || point.y < at.top - 4 || point.y > at.bottom + 4) return null
  const b = at.blocks.findIndex(({ x, w }) => point.x >= x && point.x < x + w)
  const row = nearestRow(view, point)
  if (!row) return null
  const { position } = row
  const ring = view.rings.find((one) => one.block === b && Math.hypot(point.x - one.cx, point.y - one.cy) <= one.r + 2)
  if (ring) return { lines: ringLines(view, ring), position, query: position, mark: ring.ring }
  const curve = b < 0 ? null : nearestCurve(view, b, point)
  if (curve) return { lines: curveLines(view, curve), position, query: curve.query, mark: curve.path }
  return { lines: trackLines(view, row, point, b), position, query: position }
}

function nearestRow(view, { y }) {
  let best = null
  for (const row of view.at.places) {
    const off = Math.abs(row.y - y)
    if (off <= row.pitch / 2 + 1 && (!best || off < Math.abs(best.y - y))) best = row
  }
  return best
}

function nearestCurve(view, block, { x, y }) {
  const [x0, x1] = curveEnds(view, block)
  const part = (x - x0) / (x1 - x0)
  if (part < 0 || part > 1) return null
  let [low, high] = [0, 1]
  for (let i = 0; i < 24; i++) {
    const t = (low + high) / 2
    if (alongX(t) < part) low = t
    else high = t
  }
  const along = alongY(low)
  let best = null
  let nearest = 4.5
  for (const curve of view.curves) {
    if (curve.block !== block) continue
    const off = Math.abs(curve.y0 + (curve.y1 - curve.y0) * along - y) - (curve.followed ? 1 : 0)
    if (off < nearest) [best, nearest] = [curve, off]
  }
  return best
}

const labelOf = (view, position) => {
  const i = view.data.rows.indexOf(position)
  return i >= 0 ? view.data.labels[i] : view.data.others[position] ?? String(position)
}

function ringLines(view, { block, i }) {
  const { data } = view
  const value = data.writes[block * data.rows.length + i]
  return [filled(data.hover.ring, { block, value: number(value, 1), token: data.labels[i] })]
}

function curveLines(view, { c, block, query, key }) {
  const { data } = view
  const values = { block, token: labelOf(view, query), source: labelOf(view, key), share: number(data.curve_shares[c]) }
  const more = { n: data.config.n_heads, head: data.curve_heads[c], most: number(data.curve_head_shares[c]) }
  if (data.curves_of !== null) return [filled(data.hover.curve_head, { ...values, head: data.curves_of })]
  return [filled(data.hover.curve, values), filled(data.hover.strongest, more)]
}

function trackLines(view, row, point, b) {
  const { at, data } = view
  const n = data.rows.length
  const i = data.rows.indexOf(row.position)
  const token = data.labels[i]
  if (b < 0) {
    const end = point.x >= at.end
    const depth = end ? data.config.n_layers : 0
    const before = number(data.lengths[depth * n + i], 1)
    return [filled(end ? data.hover.norm : data.hover.enters, { token, before, after: number(data.scaled[i], 1) })]
  }
  const values = {
    block: b, token, before: number(data.lengths[b * n + i], 1),
    middle: number(data.middles[b * n + i], 1), after: number(data.lengths[(b + 1) * n + i], 1),
  }
  return [filled(data.hover.track, values), filled(data.hover.track_middle, values)]
}

function watchHover(view) {
  const { root, svg } = view
  const { show, hide, box } = hoverParts(view)
  const at = (event) => {
    const box = root.getBoundingClientRect()
    return [event.clientX - box.left, event.clientY - box.top]
  }
  svg.addEventListener("pointermove", (event) => {
    const point = view.point(event)
    let element = event.target
    while (element && element !== svg && !view.tips.has(element)) element = element.parentNode
    const chip = element?.closest?.("[role=radio]")
    const marked = element && element !== svg
    const found = marked ? { lines: view.tips.get(element)(point), query: chip ? Number(chip.dataset.position) : null } : inStack(view, point)
    box.hidden = true
    view.lit?.classList.remove("lit")
    view.lit = null
    lookAt(view, found?.query ?? null)
    svg.style.cursor = found && found.position !== undefined ? "pointer" : ""
    if (!found) return
    if (found.mark) {
      view.lit = found.mark
      found.mark.classList.add("lit")
    }
    show(found.lines, ...at(event))
  })
  svg.addEventListener("pointerleave", hide)
  root.addEventListener("focusin", (event) => {
    const lines = view.tips.get(event.target)
    if (!lines || !event.target.matches(":focus-visible")) return
    const [outer, own] = [root.getBoundingClientRect(), event.target.getBoundingClientRect()]
    show(lines({ x: 0, y: 0 }), own.left - outer.left + own.width / 2, own.top - outer.top)
  })
  root.addEventListener("focusout", hide)
  svg.addEventListener("click", (event) => {
    if (event.target.closest("a, [role=radio], [role=slider], .stop")) return
    const found = inStack(view, view.point(event))
    if (found) view.follow(found.position)
  })
  root.addEventListener("keydown", (event) => event.key === "Escape" && hide())
}
