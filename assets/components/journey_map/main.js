// Putting it together: one view per place in the page, drawn anew when its numbers or width change.

const GUTTER = 40 // to the left, for the positions of the rows

function frame(root) {
  root.replaceChildren()
  const svg = make("svg", { class: "map", role: "group" })
  const add = html("button", { type: "button", class: "add" })
  const play = html("button", { type: "button", class: "play" })
  play.append(make("svg", { viewBox: "0 0 32 32", "aria-hidden": "true" }, make("path", {})))
  const sentence = html("p", { class: "sentence", "aria-live": "polite" })
  const legend = html("ul", { class: "legend" })
  const line = html("div", { class: "line" }, play, sentence)
  const scroll = html("div", { class: "scroll" }, html("div", { class: "canvas" }, svg, add))
  root.append(scroll, line, legend)
  return { svg, add, play, sentence, legend, scroll }
}

function created(root) {
  const view = { root, ...frame(root), tips: new WeakMap(), station: Infinity, frame: 0 }
  view.send = (name, value) => view.trigger(name, value)
  view.tip = (element, lines) => view.tips.set(element, lines)
  view.says = (element, lines) => {
    element.setAttribute("role", "img")
    element.setAttribute("aria-label", lines.filter(Boolean).join(". "))
    view.tip(element, () => lines)
  }
  view.unique = (name) => `tj-map-${name}`
  view.point = (event) => {
    const box = view.svg.getBoundingClientRect()
    return { x: event.clientX - box.left - GUTTER, y: event.clientY - box.top - HEADROOM }
  }
  view.picture = (name, paint) => {
    if (!view.pictures.has(name)) view.pictures.set(name, paint())
    return view.pictures.get(name)
  }
  view.stop = () => {
    if (!view.frame) return
    cancelAnimationFrame(view.frame)
    view.frame = 0
    showStation(view)
    showPlay(view)
  }
  view.go = (station, part = 1) => {
    const opens = view.at.plain < 22 && station !== view.station
    view.station = station
    if (opens) draw(view)
    showStation(view, part)
    if (part >= 1) showSentence(view)
  }
  view.follow = (position) => {
    if (position === view.data.followed) return
    view.stop()
    for (const radio of view.radios) {
      const chosen = Number(radio.dataset.position) === position
      radio.classList.toggle("followed", chosen)
      radio.setAttribute("aria-checked", chosen)
    }
    view.send("follow", position)
  }
  view.play.addEventListener("click", () => (view.frame ? view.stop() : playing(view)))
  view.add.addEventListener("click", () => {
    if (view.data.add.shown) view.send("add", view.data.followed)
    else view.follow(view.data.n_tokens - 1)
  })
  view.scroll.addEventListener("scroll", () => stayInSight(view))
  watchHover(view)
  watchKeys(view)
  new ResizeObserver(() => {
    if (root.clientWidth && view.data && root.clientWidth !== view.width) draw(view)
  }).observe(root)
  return view
}

function layers(view) {
  const { svg } = view
  const n = view.data.config.n_layers
  const group = (className) => make("g", { class: className })
  view.defs = make("defs")
  view.ground = group("ground")
  view.front = rect(-GUTTER, 0, 0, 5000, "")
  const clip = make("clipPath", { id: view.unique("front") }, view.front)
  view.defs.append(clip)
  view.dim = { others: group("dim"), followed: group("dim") }
  const lit = { "clip-path": `url(#${view.unique("front")})` }
  view.bright = { others: make("g", lit), followed: make("g", lit) }
  view.here = rect(0, 0, 0, 0, "here-column", { rx: 6 })
  const names = Array.from({ length: n + 5 }, (_, s) => stationName(view, s))
  const unders = new Map(names.map((name) => [name, group("column")]))
  const overs = new Map(names.map((name) => [name, group("column")]))
  view.groups = names.map((name) => [unders.get(name), overs.get(name)])
  view.column = (name) => overs.get(name)
  view.under = (name) => unders.get(name)
  view.over = group("over")
  svg.replaceChildren(view.defs, view.ground, view.here, view.dim.others, view.bright.others,
    ...unders.values(), view.dim.followed, view.bright.followed, ...overs.values(), view.over)
}

function draw(view) {
  const { root, data, svg } = view
  const inside = svg.contains(view.root.getRootNode().activeElement)
  const onScrubber = inside && view.scrubber?.contains(view.root.getRootNode().activeElement)
  view.width = root.clientWidth
  view.station = Math.min(view.station, lastStation(data))
  const room = view.width - GUTTER
  view.at = layout(data, room < SCROLLS ? LEAST_WIDTH : room, view.station)
  const { width } = view.at
  const [all, height] = [width + GUTTER, view.at.height + HEADROOM]
  const box = { width: all, height, viewBox: `${-GUTTER} ${-HEADROOM} ${all} ${height}` }
  for (const [name, value] of Object.entries(box)) svg.setAttribute(name, value)
  svg.setAttribute("aria-label", data.words.map)
  svg.style.width = `${all}px`
  layers(view)
  drawParts(view)
  drawHeads(view)
  drawRows(view)
  drawTracks(view)
  drawCurves(view)
  drawRings(view)
  drawBlockHeads(view)
  drawGuesses(view)
  drawShapes(view)
  drawNorm(view)
  drawBars(view)
  drawScrubber(view)
  drawLegend(view)
  showAdd(view)
  showStation(view)
  showPlay(view)
  if (onScrubber) view.scrubber.focus({ preventScroll: true })
  else if (inside) view.radios.find((radio) => radio.getAttribute("aria-checked") === "true")?.focus({ preventScroll: true })
}

function showAdd(view) {
  const { add, data, at } = view
  const { shown, problem, says } = data.add
  add.classList.toggle("back", !shown)
  add.textContent = shown ? data.words.add : data.words.add_back
  add.disabled = shown && Boolean(problem)
  add.title = !shown ? data.words.add_back_says : problem || says
  add.setAttribute("aria-label", add.title)
  add.style.left = `${GUTTER + at.width - 92}px`
}

// Whose attention the curves are: the mean of a block's heads, or one of them.
function headChoice(view) {
  const { data } = view
  const { n_heads } = data.config
  const option = (value, words) => html("option", { value, selected: String(data.curves_of ?? "") === value ? "" : null }, words)
  const choice = html("select", { "aria-label": data.words.curves_of },
    option("", filled(data.words.mean_of, { n: n_heads })),
    ...Array.from({ length: n_heads }, (_, head) => option(String(head), filled(data.words.head, { head }))))
  choice.addEventListener("change", () => view.send("heads", choice.value))
  return choice
}

function drawLegend(view) {
  const { legend, data, root } = view
  const n = data.rows.length
  const values = data.lengths.filter((_, k) => data.rows[k % n] > 0 || n === 1)
  const [low, high] = [Math.min(...values), Math.max(...values)]
  const range = { low: number(low, 1), high: number(high, 1), n: data.config.n_heads, from: number(data.at_least) }
  const glyph = (...parts) => make("svg", { viewBox: "0 0 28 16", "aria-hidden": "true" }, ...parts)
  const item = (picture, words, ...more) => html("li", {}, picture, html("span", {}, words, ...more))
  const [before, after] = filled(data.words.legend_curve, range).split("{heads}")
  const rooted = root.dataset.width === "root"
  const flip = html("button", { type: "button", class: "flip", "aria-pressed": rooted }, rooted ? data.words.linear : data.words.root)
  flip.addEventListener("click", () => {
    root.dataset.width = rooted ? "linear" : "root"
    draw(view)
    legend.querySelector(".flip").focus()
  })
  const ring = make("circle", { cx: 14, cy: 8, r: 6.5, class: "ring" })
  legend.replaceChildren(
    item(glyph(make("path", { d: "M0 7.5L28 2v12L0 8.5z", class: "track" })),
      filled(rooted ? data.words.legend_track_root : data.words.legend_track, range), " ", flip),
    item(glyph(make("path", { d: curvePath(1, 3, 27, 13), class: "curve", "stroke-width": 2 })), before, headChoice(view), after),
    item(glyph(ring), filled(data.words.legend_ring, range)))
  if (data.rest.before === undefined) return
  legend.append(item(glyph(make("circle", { cx: 14, cy: 8, r: 5, class: "before" })), data.words.legend_before))
}

// Whether the new journey is the old one with one more token, row for row.
const isGrown = (before, now) =>
  now.n_tokens === before.n_tokens + 1 && before.ids.every((id, i) => id === now.ids[i] && before.rows[i] === now.rows[i])

// The rows of a prompt that grew slide to their new places.
function slide(view, places) {
  if (isCalm()) return
  for (const row of view.at.places) {
    const from = places.get(row.position)
    const frames = from === undefined
      ? [{ opacity: 0 }, { opacity: 1 }]
      : [{ transform: `translateY(${from - row.y}px)` }, { transform: "none" }]
    for (const element of view.svg.querySelectorAll(`[data-position="${row.position}"]`)) {
      element.animate(frames, { duration: 200, easing: "ease-out" })
    }
  }
}

// The map as a file, with the sentence of the station under it.
function offerFiles(view) {
  offerFile(view.root, () => {
    const { svg, root, at } = view
    const file = fileOf(root, svg, [-GUTTER, -HEADROOM - 8, at.width + GUTTER + 20, at.height + HEADROOM + 44])
    file.svg.append(text(0, at.height + 22, "strong", plainSentence(view.data.sentences[view.station])))
    return file
  })
}

export default function (component) {
  const { data: bytes, parentElement, setTriggerValue } = component
  let root = parentElement.querySelector(".journey-map")
  if (!root) {
    root = html("div", { class: "journey-map" })
    parentElement.append(root)
  }
  root.view ??= created(root)
  const { view } = root
  view.trigger = setTriggerValue
  if (sameBytes(view.bytes, bytes)) return
  const before = view.data
  view.stop()
  view.bytes = bytes.slice()
  view.data = unpacked(view.bytes)
  view.pictures = new Map()
  if (before && String(before.prompt) !== String(view.data.prompt)) view.station = Infinity
  const grown = before && isGrown(before, view.data)
  const places = grown && new Map(view.at.places.map((row) => [row.position, row.y]))
  draw(view)
  if (grown) slide(view, places)
  else withOwnLetters(() => draw(view))
  offerFiles(view)
}
