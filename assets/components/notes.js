// The texts beside a chart's marks and in its cells: headings, labels of rows, numbers. As annotations of
// Plotly's they would each be measured in the browser, which is half of the work of drawing a chart, and as
// points with a text each be drawn twice. Here they are set where Plotly would set them, without measuring.
// So are marks that answer to nobody: where there are hundreds, they are most of Plotly's work.

const SVG = "http://www.w3.org/2000/svg"
const [ASCENT, DESCENT] = [0.984, 0.273] // of the font, in font sizes
const LINE = 1.3 // from line to line, in font sizes, as in Plotly
const ROOM = 2 // pixels that Plotly leaves around a text
const ANCHORS = { left: "start", center: "middle", right: "end" }
const STYLES = { B: "font-weight:bold", I: "font-style:italic", SUB: "font-size:70%", SUP: "font-size:70%" }
const RAISED = { SUB: 0.3, SUP: -0.6 } // in font sizes of the line

// A ground behind the text, a turned one, a given width: those stay Plotly's.
export const isPlain = (note) =>
  note.showarrow === false && !note.bgcolor && !note.textangle && !note.width && !note.hovertext

// A trace whose points have texts of their own, and the same trace without them.
export const hasTexts = ({ mode, text, texttemplate }) => /text/.test(mode) && !texttemplate && Array.isArray(text)
export const withoutTexts = (trace) => ({ ...trace, mode: trace.mode.replace(/\+?text/, "") || "none" })

// A trace that is nothing but texts and answers to nobody: Plotly need not hear of it.
export const isOnlyTexts = (trace) =>
  trace.mode === "text" && trace.hoverinfo === "skip" && hasTexts(trace) && Array.isArray(trace.x)

// The same of round or square marks.
export const isOnlyMarks = ({ mode, hoverinfo, x, marker }) =>
  mode === "markers" && hoverinfo === "skip" && Array.isArray(x) && !marker.colorscale &&
  ["circle", "circle-open", "square"].includes(marker.symbol ?? "circle")

// Draws marks, notes, and the texts of traces, over a chart that Plotly has drawn, under its hover labels.
export function write(notes, traces, chart) {
  const hover = chart.querySelector(".hoverlayer")
  if (!hover) return
  let layer = hover.parentNode.querySelector(":scope > .tj-notes")
  if (!layer) {
    layer = document.createElementNS(SVG, "g")
    layer.setAttribute("class", "tj-notes")
    hover.before(layer)
  }
  const full = chart._fullLayout
  layer.style.fontFamily = full.font.family
  layer.replaceChildren(
    ...traces.flatMap((trace) => (isOnlyMarks(trace) ? marksOf(trace, full) : textsOf(trace, full))),
    ...notes.flatMap((note) => lines(note, full)))
}

function lines(note, full) {
  const [x, y] = [along(note.x, note.xref, "x", full), along(note.y, note.yref, "y", full)]
  if (x === null || y === null) return []
  const defaults = full.template?.layout?.annotationdefaults?.font ?? full.font
  const font = { ...defaults, ...note.font }
  const rows = parsed(note.text)
  const height = (ASCENT + DESCENT + (rows.length - 1) * LINE) * font.size
  const left = x + (note.xshift ?? 0) + { left: ROOM, center: 0, right: -ROOM }[note.xanchor]
  const top = y - (note.yshift ?? 0) + { top: ROOM, middle: -height / 2, bottom: -ROOM - height }[note.yanchor]
  const first = top + ASCENT * font.size
  return set(rows, left, first, ANCHORS[note.xanchor], font, note)
}

// What an attribute says of one point: all have the same, or each its own.
const of = (values, at) => (typeof values === "object" ? values[at] : values)

// The marks of a trace, as Plotly draws them: an open one is a line of its colour.
function marksOf({ x, y, marker, name, xaxis = "x", yaxis = "y" }, full) {
  const isOpen = marker.symbol === "circle-open"
  const layer = document.createElementNS(SVG, "g")
  if (name) layer.dataset.name = name
  layer.append(...x.flatMap((_, at) => {
    const [px, py] = [along(x[at], xaxis, "x", full, true), along(y[at], yaxis, "y", full, true)]
    if (px === null || py === null) return []
    const [size, colour] = [of(marker.size, at), of(marker.color, at)]
    const look = isOpen
      ? { fill: "none", stroke: colour, "stroke-width": marker.line?.width ?? 1 }
      : { fill: colour, stroke: of(marker.line?.color, at) ?? "none", "stroke-width": marker.line?.width ?? 0 }
    const place = marker.symbol === "square"
      ? { x: px - size / 2, y: py - size / 2, width: size, height: size }
      : { cx: px, cy: py, r: size / 2 }
    if (marker.opacity !== undefined) look.opacity = marker.opacity
    const mark = document.createElementNS(SVG, marker.symbol === "square" ? "rect" : "circle")
    for (const [what, value] of Object.entries({ ...place, ...look })) mark.setAttribute(what, value)
    return mark
  }))
  return layer
}

// The texts of points: as far from their middles as Plotly sets them.
const SIGNS = { left: -1, top: -1, center: 0, middle: 0, right: 1, bottom: 1 }
function textsOf(trace, full) {
  const { x, y, text, mode, marker, textposition = "middle center", textfont = {}, xaxis = "x", yaxis = "y" } = trace
  return text.flatMap((one, at) => {
    const [px, py] = [along(x[at], xaxis, "x", full, true), along(y[at], yaxis, "y", full, true)]
    if (!one || px === null || py === null) return []
    const font = { size: of(textfont.size, at) ?? full.font.size, color: of(textfont.color, at) ?? full.font.color }
    const [down, right] = of(textposition, at).split(" ").map((word) => SIGNS[word])
    const away = /markers/.test(mode) ? of(marker.size, at) / 2 / 0.8 + 1 : 0
    const rows = parsed(one)
    const tall = (1 + (rows.length - 1) * LINE) * font.size
    const first = py + 0.75 * font.size + down * away + (down - 1) * tall / 2
    return set(rows, px + right * away, first, ["end", "middle", "start"][right + 1], font, trace)
  })
}

// Lines of a text, one under the other, from the baseline of the first on.
const set = (rows, x, first, anchor, { size, color }, { opacity, name }) => rows.map((row, place) => {
  const text = document.createElementNS(SVG, "text")
  text.setAttribute("x", x)
  text.setAttribute("y", first + place * LINE * size)
  text.setAttribute("text-anchor", anchor)
  text.style.cssText = `font-size:${size}px;white-space:pre`
  text.style.fill = color
  if (opacity !== undefined) text.style.opacity = opacity
  if (name) text.dataset.name = name
  text.append(...row.map((part) => written(part, size)))
  return text
})

// Where something is along x or y, in pixels of the chart; null outside of the axis, where nothing is drawn.
// On an axis of logarithms a note says the logarithm, as in Plotly, and a point the number itself.
function along(value, ref, letter, full, isPoint = false) {
  const { l, t, w, h } = full._size
  const [name, ofDomain] = ref.split(" ")
  const [start, length] = letter === "x" ? [l, w] : [t, h]
  const share = letter === "x" ? value : 1 - value
  if (name === "paper") return start + share * length
  const axis = full[`${letter}axis${name.slice(1)}`]
  if (ofDomain) return axis._offset + share * axis._length
  const pixels = isPoint ? axis.d2p(value) : axis.r2p(value)
  return pixels > -1 && pixels < axis._length + 1 ? axis._offset + pixels : null
}

// A text in Plotly's markup as lines of parts, each with its style. Nothing else of HTML gets through.
function parsed(text) {
  if (!/[<&]/.test(text)) return [[{ text, style: "", raised: 0 }]]
  const bold = /^<b>([^<&]*)<\/b>$/.exec(text) // many are, and it spares them the parser
  if (bold) return [[{ text: bold[1], style: STYLES.B, raised: 0 }]]
  const rows = [[]]
  const walk = (node, style, raised) => {
    if (node.nodeType === Node.TEXT_NODE) {
      rows.at(-1).push({ text: node.data, style, raised })
    } else if (node.nodeName === "BR") {
      rows.push([])
    } else {
      const own = [STYLES[node.nodeName], node.style?.color && `fill:${node.style.color}`]
      const inside = [style, ...own].filter(Boolean).join(";")
      for (const child of node.childNodes) walk(child, inside, RAISED[node.nodeName] ?? raised)
    }
  }
  walk(new DOMParser().parseFromString(text, "text/html").body, "", 0)
  return rows
}

function written({ text, style, raised }, size) {
  if (!style) return text
  const part = document.createElementNS(SVG, "tspan")
  part.style.cssText = style
  part.textContent = text
  if (raised) part.style.baselineShift = `${-raised * size}px`
  return part
}
