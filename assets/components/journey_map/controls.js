// The scrubber: one stop under each column, a sentence for each, playing and stepping.

const STATION_TIME = 1200 // ms for a station, while playing
const STACK_TIME = 12000 // ms for the stack at most

const stationName = (view, s) => {
  const n = view.data.config.n_layers
  if (s < 3) return ["tokens", "embedding", "position"][s]
  if (s < 3 + n) return `block${s - 3}`
  return s === 3 + n ? "norm" : "next"
}

const lastStation = (data) => data.config.n_layers + 4

const isCalm = () => matchMedia("(prefers-reduced-motion: reduce)").matches

function drawScrubber(view) {
  const { at, data } = view
  const y = at.scrubber
  const first = at.stops[0]
  const last = at.stops.at(-1)
  const group = make("g", {
    class: "scrubber", role: "slider", tabindex: 0, "aria-label": data.words.scrubber,
    "aria-valuemin": 0, "aria-valuemax": at.stops.length - 1, "aria-orientation": "horizontal",
  })
  const groove = make("path", { class: "rail", d: `M${first} ${y}H${last}` })
  view.railDone = make("path", { class: "rail done" })
  const hit = rect(first - 14, y - 14, last - first + 28, 28, "hit stop")
  group.append(groove, view.railDone)
  const small = at.plain < 22
  view.stops = at.stops.map((x, s) => {
    const inStackNow = s >= 3 && s < at.stops.length - 2
    const stop = make("circle", { cx: x, cy: y, class: "dot", "data-r": small && inStackNow ? 2.6 : 5.5 })
    group.append(stop)
    return stop
  })
  view.knob = make("circle", { class: "knob", cy: y, r: 10 })
  view.focusRing = make("circle", { class: "focus-ring", cy: y, r: 15 })
  group.append(view.focusRing, view.knob, hit)
  const nearest = (event) => {
    const { x } = view.point(event)
    return at.stops.reduce((best, stop, s) => (Math.abs(stop - x) < Math.abs(at.stops[best] - x) ? s : best), 0)
  }
  hit.addEventListener("pointerdown", (event) => {
    event.preventDefault()
    hit.setPointerCapture(event.pointerId)
    view.stop()
    view.go(nearest(event))
    view.scrubber.focus({ preventScroll: true })
  })
  hit.addEventListener("pointermove", (event) => {
    if (event.buttons) view.go(nearest(event))
  })
  view.tip(hit, (point) => {
    const s = at.stops.reduce((best, stop, k) => (Math.abs(stop - point.x) < Math.abs(at.stops[best] - point.x) ? k : best), 0)
    return [plainSentence(view.data.sentences[s])]
  })
  view.scrubber = group
  view.over.append(group)
}

const plainSentence = (parts) => parts.map((part) => (typeof part === "string" ? part : part.t)).join("")

function showSentence(view) {
  const parts = view.data.sentences[view.station]
  view.sentence.replaceChildren(...parts.map((part) => {
    if (typeof part === "string") return part
    return html(part.f ? "b" : "strong", { class: part.f ? "followed" : "" }, part.t)
  }))
}

// Where the current column lies: its ground, and how far the tracks are drawn.
function stationBox(view, s) {
  const { at } = view
  const n = view.data.config.n_layers
  if (s === 0) return [-6, at.chip + 12]
  if (s === 1) return [at.embedding - 6, at.strip + 12]
  if (s === 2) return [at.position - 6, at.strip + 12]
  if (s < 3 + n) return [at.blocks[s - 3].x, at.blocks[s - 3].w]
  if (s === 3 + n) return [at.norm - 18, 36]
  return [at.label - 14, at.width - at.label + 14]
}

// Bring the picture to a station; `part` from 0 to 1 is how far the current column has come.
function showStation(view, part = 1) {
  const { at, data, station } = view
  const end = station === lastStation(data)
  at.stops.forEach((x, s) => {
    const done = s < station
    view.stops[s].setAttribute("class", done ? "dot done" : "dot")
    view.stops[s].setAttribute("r", view.stops[s].dataset.r)
  })
  view.knob.setAttribute("cx", at.stops[station])
  view.focusRing.setAttribute("cx", at.stops[station])
  view.add.classList.toggle("ahead", !end)
  view.railDone.setAttribute("d", `M${at.stops[0]} ${at.scrubber}H${at.stops[station]}`)
  for (let s = 0; s < at.stops.length; s++) {
    const ahead = s > station
    for (const group of view.groups[s]) group.classList.toggle("ahead", ahead)
  }
  const [x, w] = stationBox(view, station)
  const swell = Math.max(0, Math.min(1, (part - 0.25) / 0.45))
  const front = station < 3 ? at.stack - 8 : end ? at.width : x + w * (part < 1 ? 0.1 + 0.9 * swell : 1)
  view.front.setAttribute("width", Math.max(0, front + GUTTER))
  const shown = end ? "none" : null
  const box = view.here
  box.style.display = shown ?? ""
  const height = (station < 2 ? at.rule - 6 : at.foot) - 46
  for (const [name, value] of Object.entries({ x, y: 46, width: w, height })) box.setAttribute(name, value)
  view.scrubber.setAttribute("aria-valuenow", station)
  view.scrubber.setAttribute("aria-valuetext", plainSentence(data.sentences[station]))
  wipe(view, part)
  if (part >= 1 || part === 0) showSentence(view)
}

// Three beats: the curves grow, the track swells, the ring fills; then the best guess changes.
function wipe(view, part) {
  const block = view.station - 3
  for (const curve of view.curves) {
    const grown = curve.block === block && part < 1 ? Math.min(1, part / 0.25) : 1
    if (grown < 1) {
      curve.path.style.strokeDasharray = `${grown} 1`
    } else if (curve.path.style.strokeDasharray) curve.path.style.strokeDasharray = ""
  }
  for (const one of view.rings) {
    const filledBy = one.block === block && part < 1 ? Math.max(0, Math.min(1, (part - 0.65) / 0.2)) : 1
    one.ring.style.opacity = filledBy < 1 ? filledBy : ""
  }
  for (const group of view.groups[view.station]) {
    for (const element of group.querySelectorAll(".guess, .fill, .percent")) {
      element.style.opacity = part < 0.85 ? 0.16 : ""
    }
  }
}

function playing(view) {
  const n = view.data.config.n_layers
  const last = lastStation(view.data)
  const time = (s) => (s >= 3 && s < 3 + n ? Math.min(STATION_TIME, STACK_TIME / n) : STATION_TIME)
  if (isCalm()) return view.go(view.station === last ? 0 : view.station + 1)
  view.go(view.station === last ? 0 : view.station, 0)
  let began = performance.now()
  const tick = (now) => {
    if (!view.root.isConnected) return view.stop()
    const part = Math.min(1, (now - began) / (time(view.station) * 0.75))
    showStation(view, part)
    if (now - began >= time(view.station)) {
      if (view.station === last) return view.stop()
      view.go(view.station + 1, 0)
      began = now
    }
    view.frame = requestAnimationFrame(tick)
  }
  view.frame = requestAnimationFrame(tick)
  showPlay(view)
}

function showPlay(view) {
  const { play, data } = view
  const on = Boolean(view.frame)
  play.setAttribute("aria-label", on ? data.words.pause : isCalm() ? data.words.step : data.words.play)
  play.title = play.getAttribute("aria-label")
  play.querySelector("path").setAttribute("d", on ? "M10 9h4v14h-4zM18 9h4v14h-4z" : "M12 8.5v15l12-7.5z")
}

function openStation(view) {
  const name = stationName(view, view.station)
  const path = { tokens: "tokens", embedding: "embeddings", position: "positions", norm: "output", next: "output" }[name]
  if (path) return view.send("open", { path })
  view.send("open", { path: "block", block: view.station - 3 })
}

function watchKeys(view) {
  view.root.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("button, a, select")) return
    const { data, station } = view
    const last = lastStation(data)
    const at = data.rows.indexOf(data.followed)
    const act = {
      " ": () => (view.frame ? view.stop() : playing(view)),
      ArrowRight: () => view.go(Math.min(last, station + 1)),
      ArrowLeft: () => view.go(Math.max(0, station - 1)),
      Home: () => view.go(0),
      End: () => view.go(last),
      Enter: () => openStation(view),
      ArrowDown: () => at + 1 < data.rows.length && view.follow(data.rows[at + 1]),
      ArrowUp: () => at > 0 && view.follow(data.rows[at - 1]),
    }[event.key]
    if (!act) return
    event.preventDefault()
    if (event.key !== " ") view.stop()
    act()
  })
  // Where nothing has the focus, Space is for the map as long as it is in sight.
  const space = (event) => {
    if (!view.root.isConnected) return document.removeEventListener("keydown", space)
    if (event.key !== " " || !event.target.matches("body, [data-testid=stMain]")) return
    const { top, bottom } = view.root.getBoundingClientRect()
    if (event.ctrlKey || event.metaKey || event.altKey || top > innerHeight || bottom < 0) return
    event.preventDefault()
    view.scrubber.focus({ preventScroll: true })
    if (view.frame) view.stop()
    else playing(view)
  }
  document.addEventListener("keydown", space)
}
