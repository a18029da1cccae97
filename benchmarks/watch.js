// Runs in the page before everything else: notes when the server is asked and answers, how many bytes
// come, and when something on the page changes last. Shadow roots are watched too.
window.watched = { runs: 0 }

function begin() {
  Object.assign(window.watched, {
    pressed: 0, asked: 0, answered: 0, messages: 0, bytes: 0, figure: 0, page: 0,
  })
}
begin()

const Socket = window.WebSocket
window.WebSocket = class extends Socket {
  constructor(...address) {
    super(...address)
    this.addEventListener("message", ({ data }) => {
      const { watched } = window
      watched.answered = performance.now()
      watched.messages += 1
      watched.bytes += data.byteLength ?? data.size ?? data.length
    })
  }

  send(data) {
    window.watched.asked ||= performance.now()
    super.send(data)
  }
}

const MAP = ".st-key-tjfig-journey-map"
const FIGURE = `.js-plotly-plot, .stPlotlyChart, ${MAP}, img, svg`
function changed(changes) {
  const now = performance.now()
  for (const { target, attributeName } of changes) {
    if (target.classList?.contains("stApp")) {
      if (target.dataset.testScriptState === "running") window.watched.runs += 1
      continue
    }
    if (attributeName === "data-stale") continue
    const root = target.getRootNode()
    const element = target.nodeType === Node.ELEMENT_NODE ? target : target.parentElement
    const place = root instanceof ShadowRoot ? root.host : element
    if (!place?.closest?.('[data-testid="stMain"]')) continue
    window.watched.page = now
    if (place.closest(FIGURE) || place.querySelector?.(".js-plotly-plot")) window.watched.figure = now
  }
}

const watch = (root) => new MutationObserver(changed).observe(root, {
  subtree: true, childList: true, characterData: true, attributes: true,
})
watch(document)
const { attachShadow } = Element.prototype
Element.prototype.attachShadow = function (...options) {
  const root = attachShadow.apply(this, options)
  watch(root)
  return root
}

window.watched.begin = begin
for (const kind of ["keydown", "pointerdown"]) {
  document.addEventListener(kind, () => {
    window.watched.pressed ||= performance.now()
  }, true)
}
