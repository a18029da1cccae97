// A Plotly chart that stays, and the words under it: what changes on the server updates the plot that is
// there, and what stays the same is left alone. Plotly itself is served beside this file and fetched once.
//
// Charts in view are drawn first, from the top; the others when the browser has time, so that nobody
// waits for what nobody sees. One that changes again before its turn is drawn once.

import { fill } from "./markup.js"
import { hasTexts, isOnlyMarks, isOnlyTexts, isPlain, withoutTexts, write } from "./notes.js"
import { save } from "./save.js"

let plotly = null

function fetchPlotly() {
  plotly ??= new Promise((done, failed) => {
    const script = document.createElement("script")
    script.src = new URL("plotly.js", import.meta.url)
    script.onload = () => {
      rememberArrays(window.Plotly.PlotSchema)
      done(window.Plotly)
    }
    script.onerror = () => {
      plotly = null
      script.remove()
      failed(new Error("Plotly could not be fetched from this server."))
    }
    document.head.append(script)
  })
  return plotly
}
fetchPlotly()

// For every trace that it draws, Plotly looks through all attributes that its kind can have for those that can be
// arrays: a fifth of the work. Which those are hangs on the kind alone, so it is asked once.
function rememberArrays(schema) {
  const { crawl, findArrayAttributes } = schema
  const found = new Map()
  const holdsArray = ({ valType, arrayOk }) => valType === "data_array" || arrayOk === true
  const ways = (attributes) => {
    const all = []
    crawl(attributes, (...node) => all.push(node))
    const ends = all.filter(([node]) => node && holdsArray(node)).map((node) => node[4])
    return all.filter(([, , , , path]) => ends.some((end) => end === path || end.startsWith(`${path}.`)))
  }
  const along = (attributes, visit, ...below) => {
    if (below.length) return crawl(attributes, visit, ...below)
    if (!found.has(attributes)) found.set(attributes, ways(attributes))
    found.get(attributes).forEach((node) => visit(...node))
  }
  schema.findArrayAttributes = (trace) => {
    schema.crawl = along
    try {
      return findArrayAttributes(trace)
    } finally {
      schema.crawl = crawl
    }
  }
}

const CONFIG = { displayModeBar: false, responsive: false, doubleClick: false }

const same = (one, other) =>
  one?.length === other.length && one.every((byte, place) => byte === other[place])

function holderIn(parent) {
  let holder = parent.querySelector(":scope > .tj-chart")
  if (!holder) {
    holder = document.createElement("div")
    holder.className = "tj-chart"
    holder.setAttribute("role", "img")
    holder.style.contentVisibility = "auto" // out of view the browser need not lay it out
    holder.style.contain = "strict" // nothing around it moves, whatever is drawn in it
    holder.tjFoot = document.createElement("div")
    parent.append(holder, holder.tjFoot)
    new ResizeObserver(() => fit(holder)).observe(holder)
  }
  return holder
}

// A chart is as wide as its place. One without a place, in a closed fold, is drawn when it has one.
function fit(holder) {
  const width = Math.floor(holder.clientWidth)
  if (!width || width === holder.tjWidth) return
  holder.tjWidth = width
  waiting.add(holder)
  soon()
}

const waiting = new Set()
let isComing = false
// Before what else the browser has to do: the rest of the page would go first, and a person waits longer.
const first = window.scheduler?.postTask
  ? (work) => window.scheduler.postTask(work, { priority: "user-blocking" })
  : (work) => setTimeout(work)
function soon() {
  if (isComing) return
  isComing = true
  first(next)
}

const idle = window.requestIdleCallback ?? ((work) => setTimeout(work, 50))
async function next() {
  isComing = false
  const [wanted, isSeen] = mostWanted()
  if (!wanted) return
  try {
    if (!isSeen) await new Promise((done) => idle(done, { timeout: 500 }))
    await draw(isSeen ? wanted : mostWanted()[0])
  } finally {
    if (waiting.size) soon() // whatever became of that one
  }
}

// The chart whose turn it is: the first in view, else the nearest.
function mostWanted() {
  let [best, least] = [null, Infinity]
  for (const holder of waiting) {
    if (!holder.isConnected) {
      waiting.delete(holder)
      holder.tjWidth = 0 // should it come back, it fits anew
      continue
    }
    const { top, bottom } = holder.getBoundingClientRect()
    const away = bottom < 0 ? window.innerHeight - bottom : Math.max(top, 0)
    if (away < least) [best, least] = [holder, away]
  }
  return [best, least < window.innerHeight]
}

// Those that a test holds of, and the others.
const parted = (all, test) => [all.filter(test), all.filter((one) => !test(one))]

async function draw(holder) {
  if (!holder) return
  waiting.delete(holder)
  const Plotly = window.Plotly ?? (await fetchPlotly())
  const { data, layout } = holder.tjFigure
  const [notes, annotations] = parted(layout.annotations ?? [], isPlain)
  const [own, traces] = parted(data, (trace) => isOnlyTexts(trace) || isOnlyMarks(trace))
  const drawn = traces.map((trace) => (hasTexts(trace) ? withoutTexts(trace) : trace))
  await Plotly.react(holder, drawn, { ...layout, width: holder.tjWidth, annotations }, CONFIG)
  const unpacked = traces.flatMap((trace, i) =>
    hasTexts(trace) ? { ...trace, x: holder._fullData[i].x, y: holder._fullData[i].y } : [])
  write(notes, [...own, ...unpacked], holder)
  if (!waiting.has(holder)) holder.dataset.drawn = ""
  if (holder.tjListens) return
  holder.tjListens = true
  holder.on("plotly_click", ({ points }) => clicked(holder, points[0]))
}

// On paper everything is in view.
window.addEventListener("beforeprint", () => waiting.forEach((holder) => draw(holder)))

// The house hears of clicks, so that a click runs the whole page, in whichever part the chart is.
function clicked(holder, point) {
  if (!point || !holder.tjClicks) return
  const { x, y } = point
  const customdata = ArrayBuffer.isView(point.customdata) ? [...point.customdata] : point.customdata
  const detail = { figure: holder.tjClicks, point: { x, y, customdata } }
  document.dispatchEvent(new CustomEvent("tj-click", { detail }))
}

// The data are a line with the words, and after it the figure.
const LINE_END = "\n".charCodeAt(0)
const read = (bytes) => JSON.parse(new TextDecoder().decode(bytes))

export default function ({ data, parentElement }) {
  const holder = holderIn(parentElement)
  const end = data.indexOf(LINE_END)
  const { alt, clicks, height, foot, saved } = read(data.subarray(0, end))
  holder.tjClicks = clicks
  holder.setAttribute("aria-label", alt)
  holder.style.height = `${height}px`
  fill(holder.tjFoot, foot)
  if (saved) save(saved, holder.tjFoot)
  const figure = data.subarray(end + 1)
  if (same(holder.tjShown, figure)) return
  holder.tjShown = figure
  delete holder.dataset.drawn
  holder.tjFigure = read(figure)
  holder.tjWidth = 0
  fit(holder)
}
