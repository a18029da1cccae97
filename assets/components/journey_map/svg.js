// Making elements.

const SVG = "http://www.w3.org/2000/svg"

function make(name, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, name)
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null) element.setAttribute(key, value)
  }
  for (const child of children) {
    if (child !== null && child !== undefined) element.append(child)
  }
  return element
}

function html(name, attributes = {}, ...children) {
  const element = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null) element.setAttribute(key, value)
  }
  element.append(...children)
  return element
}

const text = (x, y, className, words, more = {}) =>
  make("text", { x, y, class: className, ...more }, words)

const rect = (x, y, width, height, className, more = {}) =>
  make("rect", { x, y, width: Math.max(0, width), height: Math.max(0, height), class: className, ...more })

const ruler = document.createElement("canvas").getContext("2d")
const font = (size, weight) => `${weight} ${size}px "Source Sans", "Source Sans Pro", sans-serif`

function measured(words, size, weight = 400) {
  ruler.font = font(size, weight)
  return ruler.measureText(words).width
}

// Where the page's letters are still on their way, words were measured with others: draw again with them.
function withOwnLetters(redraw) {
  if (!document.fonts.check(font(14, 650))) document.fonts.load(font(14, 650)).then(redraw)
}

// As much of the words as fits into a width.
function fitting(words, width, size, weight = 400) {
  if (measured(words, size, weight) <= width) return words
  const letters = [...words]
  while (letters.length > 1 && measured(`${letters.join("")}…`, size, weight) > width) letters.pop()
  return `${letters.join("")}…`
}

// A link to a page, with everything that was chosen; a plain click goes there without a new visit.
function link(view, path, choice, label, ...children) {
  if (!view.data.pages.includes(path)) return make("g", {}, ...children)
  const query = new URLSearchParams({ ...view.data.query, ...choice })
  const element = make("a", { href: `${path}?${query}`, "aria-label": label, class: "link" }, ...children)
  element.addEventListener("click", (event) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button) return
    event.preventDefault()
    view.send("open", { path, ...choice })
  })
  return element
}

// One stop a block is enough for Tab, so that tokens and scrubber are near; a pointer and a screen
// reader find the other links too.
function aside(element) {
  element.setAttribute("tabindex", -1)
  return element
}

// What the buttons PNG and SVG under a component's place save.
function offerFile(root, made) {
  const figure = root.getRootNode().host?.closest('[class*="st-key-tjfig-"]')
  if (figure) figure.tjPicture = made
}

// A drawing as a file: its own style travels inside, with the colours of the theme on screen.
function fileOf(root, svg, [x, y, width, height]) {
  const copy = svg.cloneNode(true)
  const page = getComputedStyle(root)
  const rules = [...root.getRootNode().querySelectorAll("style")].map((style) => style.textContent).join("\n")
  const style = make("style")
  style.textContent = rules.replace(/var\((--tj-[\w-]+)\)/g, (_, name) => page.getPropertyValue(name)) +
    ` svg { font-family: ${page.fontFamily}; }`
  copy.setAttribute("viewBox", `${x} ${y} ${width} ${height}`)
  copy.setAttribute("width", width)
  copy.setAttribute("height", height)
  copy.removeAttribute("style")
  copy.prepend(style, rect(x, y, width, height, "", { fill: page.getPropertyValue("--tj-bg") }))
  return { svg: copy, width, height }
}
