// What the page as a whole needs of JavaScript, once for all pages:
// Enter in the prompt box traces, a text is measured while it is typed, figures are saved as PNG and
// SVG, clicks on their points, on the buttons under them and on links to pages are sent, the link of the
// page on screen is marked, and a change of theme reaches the figures.

const PROMPT = 'textarea[aria-label="Prompt"]'

// Streamlit's text area commits on Ctrl + Enter; plain Enter becomes that, Shift + Enter a new line.
function enterTraces(event) {
  if (event.key !== "Enter" || event.shiftKey || event.ctrlKey || event.metaKey) return
  if (event.isComposing || !event.target.matches?.(PROMPT)) return
  event.preventDefault()
  event.stopPropagation()
  const commit = { key: "Enter", code: "Enter", ctrlKey: true, bubbles: true, cancelable: true }
  event.target.dispatchEvent(new KeyboardEvent("keydown", commit))
}

// While a text is typed the server counts its tokens; whoever draws that listens for the answer.
const typing = { timer: 0, asked: null }
function measureTyped(event, { measure, model }) {
  if (!event.target.matches?.(PROMPT)) return
  const box = event.target
  clearTimeout(typing.timer)
  typing.asked?.abort()
  typing.timer = setTimeout(async () => {
    typing.asked = new AbortController()
    const text = box.value.toWellFormed?.() ?? box.value
    const asked = { method: "POST", body: JSON.stringify({ model, text }) }
    try {
      const answer = await fetch(measure, { ...asked, signal: typing.asked.signal })
      const found = await answer.json()
      if (text === (box.value.toWellFormed?.() ?? box.value)) {
        document.dispatchEvent(new CustomEvent("tj-measured", { detail: found }))
      }
    } catch {
      // Overtaken by the next letter, or no server: then nothing can be traced either.
    }
  }, 150)
}

// Plotly draws a figure as several layers of SVG, one over the other. Together they are the file.
function svgOf(figure) {
  const plot = figure.querySelector(".js-plotly-plot .svg-container")
  if (!plot) return null
  const { width, height } = plot.getBoundingClientRect()
  const page = getComputedStyle(document.querySelector(".stApp"))
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg")
  svg.setAttribute("xmlns", "http://www.w3.org/2000/svg")
  svg.setAttribute("xmlns:xlink", "http://www.w3.org/1999/xlink")
  svg.setAttribute("width", width)
  svg.setAttribute("height", height)
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`)
  const ground = document.createElementNS(svg.namespaceURI, "rect")
  ground.setAttribute("width", "100%")
  ground.setAttribute("height", "100%")
  ground.setAttribute("fill", page.backgroundColor)
  svg.append(ground)
  for (const layer of plot.querySelectorAll(".main-svg")) {
    const copy = layer.cloneNode(true)
    copy.querySelectorAll(".hoverlayer, .modebar, .zoomlayer").forEach((part) => part.remove())
    copy.removeAttribute("style")
    svg.append(copy)
  }
  return { svg, width, height }
}

function save(blob, name) {
  const link = document.createElement("a")
  link.href = URL.createObjectURL(blob)
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 10000)
}

// A picture of an SVG knows nothing of the page's fonts: they travel inside of it.
async function withFonts(svg) {
  const style = document.createElementNS(svg.namespaceURI, "style")
  for (const sheet of document.styleSheets) {
    for (const rule of sheet.cssRules) {
      const isSans = rule instanceof CSSFontFaceRule && /Source Sans/.test(rule.cssText)
      const url = isSans && !/italic/.test(rule.cssText) && rule.cssText.match(/url\("?([^")]+)/)
      if (!url) continue
      const bytes = await (await fetch(new URL(url[1], sheet.href ?? location.href))).blob()
      const data = await new Promise((done) => {
        const reader = new FileReader()
        reader.onload = () => done(reader.result)
        reader.readAsDataURL(bytes)
      })
      style.textContent += rule.cssText.replace(/url\([^)]*\)/, `url("${data}")`)
    }
  }
  svg.prepend(style)
}

// The buttons under a figure: pictures are saved here, tables come from the server.
const FOOT = "[data-tj-foot]"
async function pressed(event, setTriggerValue) {
  const button = event.target.closest?.(FOOT)
  if (!button) return
  const { tjFoot: what, tjName: figure } = button.dataset
  if (what === "png" || what === "svg") await saveFigure(button)
  else setTriggerValue("asked", { what, figure })
}

async function saveFigure(button) {
  const figure = button.closest('[class*="st-key-tjfig-"]')
  const found = figure && (svgOf(figure) ?? figure.tjPicture?.()) // a component draws its own
  if (!found) return
  const { svg, width, height } = found
  await withFonts(svg)
  const text = new XMLSerializer().serializeToString(svg)
  const blob = new Blob([text], { type: "image/svg+xml;charset=utf-8" })
  const name = button.dataset.tjName
  if (button.dataset.tjFoot === "svg") return save(blob, `${name}.svg`)
  const image = new Image()
  const url = URL.createObjectURL(blob)
  await new Promise((done, failed) => {
    image.onload = done
    image.onerror = failed
    image.src = url
  })
  const canvas = document.createElement("canvas")
  canvas.width = width * 2
  canvas.height = height * 2
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height)
  URL.revokeObjectURL(url)
  canvas.toBlob((png) => save(png, `${name}.png`))
}

// A link to a page says in its address what was chosen, for another tab or to be copied; a plain click
// stays in this session, whose server knows it.
const LINK = "a[data-tj-page]"
const ADDRESSING = ["pointerover", "focusin"]
function addressed(event, { kept }) {
  const link = event.target.closest?.(LINK)
  if (!link) return
  const chosen = new URLSearchParams(location.search)
  for (const name of [...chosen.keys()]) if (!kept.includes(name)) chosen.delete(name)
  link.href = `./${link.dataset.tjPage}?${chosen}`
}

function followed(event, setTriggerValue) {
  const link = event.target.closest?.(LINK)
  if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return
  event.preventDefault()
  if (new URL(link.href).pathname !== location.pathname) passOver()
  setTriggerValue("page", { path: link.dataset.tjPage })
}

// On the way to another page Streamlit gives the page that is left the new page's query string, as a
// place in the history. Nobody was there, and going back should lead to what was left.
function passOver() {
  const end = () => delete history.pushState
  const timer = setTimeout(end, 3000)
  history.pushState = (state, title, url) => {
    if (new URL(url, location.href).pathname === location.pathname) return
    clearTimeout(timer)
    end()
    history.pushState(state, title, url)
  }
}

function nameCurrent(page) {
  for (const link of document.querySelectorAll(`.tj-nav ${LINK}`)) {
    if (link.dataset.tjPage === page) link.setAttribute("aria-current", "page")
    else link.removeAttribute("aria-current")
  }
}

// The sidebar is drawn after this script has begun, and again whenever Streamlit likes.
const sidebar = { observer: null, timer: 0 }
function keepNaming(page) {
  sidebar.observer?.disconnect()
  clearTimeout(sidebar.timer)
  const drawn = document.querySelector('section[data-testid="stSidebar"]')
  if (!drawn) {
    sidebar.timer = setTimeout(() => keepNaming(page), 100)
    return
  }
  sidebar.observer = new MutationObserver(() => nameCurrent(page))
  sidebar.observer.observe(drawn, { childList: true, subtree: true })
  nameCurrent(page)
}

const scheme = () => getComputedStyle(document.querySelector(".stApp")).colorScheme

export default function (component) {
  const { data: [data], setTriggerValue } = component
  const typed = (event) => measureTyped(event, data)
  document.addEventListener("keydown", enterTraces, true)
  document.addEventListener("input", typed, true)
  const press = (event) => {
    pressed(event, setTriggerValue)
    followed(event, setTriggerValue)
  }
  document.addEventListener("click", press)
  const address = (event) => addressed(event, data)
  ADDRESSING.forEach((kind) => document.addEventListener(kind, address))
  const click = ({ detail }) => setTriggerValue("click", detail)
  document.addEventListener("tj-click", click)
  keepNaming(data.page)
  let before = scheme()
  const watch = new MutationObserver(() => {
    if (scheme() === before) return
    before = scheme()
    setTriggerValue("theme", before)
  })
  watch.observe(document.querySelector(".stApp"), { attributes: true, attributeFilter: ["class"] })
  return () => {
    document.removeEventListener("keydown", enterTraces, true)
    document.removeEventListener("input", typed, true)
    document.removeEventListener("click", press)
    ADDRESSING.forEach((kind) => document.removeEventListener(kind, address))
    document.removeEventListener("tj-click", click)
    watch.disconnect()
    sidebar.observer?.disconnect()
    clearTimeout(sidebar.timer)
  }
}
