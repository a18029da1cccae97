// A Plotly chart that stays: what changes on the server updates the plot that is there, and what
// stays the same is left alone. Plotly itself is served beside this file and fetched once.

let plotly = null

function fetchPlotly() {
  plotly ??= new Promise((done, failed) => {
    const script = document.createElement("script")
    script.src = new URL("plotly.js", import.meta.url)
    script.onload = () => done(window.Plotly)
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

const CONFIG = { displayModeBar: false, responsive: false, doubleClick: false }

const same = (one, other) =>
  one?.length === other.length && one.every((byte, place) => byte === other[place])

function holderIn(parent) {
  let holder = parent.querySelector(":scope > .tj-chart")
  if (!holder) {
    holder = document.createElement("div")
    holder.className = "tj-chart"
    holder.setAttribute("role", "img")
    parent.append(holder)
    new ResizeObserver(() => fit(holder)).observe(holder)
  }
  return holder
}

// A chart is as wide as its place. One without a place, in a closed fold, is drawn when it has one.
function fit(holder) {
  const width = Math.floor(holder.clientWidth)
  if (!width || width === holder.tjWidth) return
  draw(holder, width)
}

async function draw(holder, width) {
  holder.tjWidth = width
  const figure = holder.tjFigure
  const Plotly = window.Plotly ?? (await fetchPlotly())
  if (figure !== holder.tjFigure || !holder.isConnected) return // another one came meanwhile
  await Plotly.react(holder, figure.data, { ...figure.layout, width }, CONFIG)
  holder.dataset.drawn = ""
  if (holder.tjListens) return
  holder.tjListens = true
  holder.on("plotly_click", ({ points }) => clicked(holder, points[0]))
}

// The house hears of clicks, so that a click runs the whole page, in whichever part the chart is.
function clicked(holder, point) {
  if (!point || !holder.tjClicks) return
  const { x, y } = point
  const customdata = ArrayBuffer.isView(point.customdata) ? [...point.customdata] : point.customdata
  const detail = { figure: holder.tjClicks, point: { x, y, customdata } }
  document.dispatchEvent(new CustomEvent("tj-click", { detail }))
}

export default function ({ data, parentElement }) {
  const holder = holderIn(parentElement)
  if (same(holder.tjShown, data)) return
  holder.tjShown = data
  delete holder.dataset.drawn
  const { figure, alt, clicks } = JSON.parse(new TextDecoder().decode(data))
  holder.tjFigure = figure
  holder.tjClicks = clicks
  holder.setAttribute("aria-label", alt)
  holder.style.height = `${figure.layout.height}px`
  holder.tjWidth = 0
  fit(holder)
}
