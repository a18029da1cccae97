// The texts beside a chart's marks and in its cells: headings, labels of rows, numbers. As annotations of
// Plotly's they would each be measured in the browser, which is half of the work of drawing a chart, and as
// points with a text each be drawn twice. Here they are set where Plotly would set them, without measuring.

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

// A trace that is nothing but texts in the middle of their places, and answers to nobody.
export const isTexts = (trace) =>
  trace.mode === "text" && trace.hoverinfo === "skip" && !trace.textposition && Array.isArray(trace.x)

const middle = { xanchor: "center", yanchor: "middle" }
const notesOf = ({ x, y, text, textfont, xaxis = "x", yaxis = "y" }) => text.map((one, at) => ({
  ...middle, text: one, x: x[at], y: y[at], xref: xaxis, yref: yaxis,
  font: { size: textfont.size, color: textfont.color[at] },
}))

// Draws notes and traces of texts over a chart that Plotly has drawn, under its hover labels.
export function write(notes, texts, chart) {
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
  const all = [...texts.flatMap(notesOf), ...notes]
  layer.replaceChildren(...all.flatMap((note) => lines(note, full)))
}

function lines(note, full) {
  const [x, y] = [along(note, "x", full), along(note, "y", full)]
  if (x === null || y === null) return []
  const defaults = full.template?.layout?.annotationdefaults?.font ?? full.font
  const size = note.font?.size ?? defaults.size
  const rows = parsed(note.text)
  const height = (ASCENT + DESCENT + (rows.length - 1) * LINE) * size
  const left = x + (note.xshift ?? 0) + { left: ROOM, center: 0, right: -ROOM }[note.xanchor]
  const top = y - (note.yshift ?? 0) + { top: ROOM, middle: -height / 2, bottom: -ROOM - height }[note.yanchor]
  return rows.map((row, place) => {
    const text = document.createElementNS(SVG, "text")
    text.setAttribute("x", left)
    text.setAttribute("y", top + (ASCENT + place * LINE) * size)
    text.setAttribute("text-anchor", ANCHORS[note.xanchor])
    text.style.cssText = `font-size:${size}px;white-space:pre`
    text.style.fill = note.font?.color ?? defaults.color
    if (note.opacity !== undefined) text.style.opacity = note.opacity
    if (note.name) text.dataset.name = note.name
    text.append(...row.map((part) => written(part, size)))
    return text
  })
}

// Where a note is along x or y, in pixels of the chart; null outside of the axis, where none is drawn.
function along(note, letter, full) {
  const value = note[letter]
  const { l, t, w, h } = full._size
  const [name, ofDomain] = note[`${letter}ref`].split(" ")
  const [start, length] = letter === "x" ? [l, w] : [t, h]
  const share = letter === "x" ? value : 1 - value
  if (name === "paper") return start + share * length
  const axis = full[`${letter}axis${name.slice(1)}`]
  if (ofDomain) return axis._offset + share * axis._length
  const pixels = axis.r2p(value)
  return pixels > -1 && pixels < axis._length + 1 ? axis._offset + pixels : null
}

// A text in Plotly's markup as lines of parts, each with its style. Nothing else of HTML gets through.
function parsed(text) {
  if (!/[<&]/.test(text)) return [[{ text, style: "", raised: 0 }]]
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
