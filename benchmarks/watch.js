// Runs in the page before everything else: notes when the server is asked and answers, how many bytes
// come, and when something on the page changes last. Shadow roots are watched too.
window.watched = { runs: 0 }

function begin() {
  Object.assign(window.watched, {
    pressed: 0, asked: 0, answered: 0, messages: 0, bytes: 0, seen: 0, figure: 0, page: 0,
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

// A chart says `data-drawn` when it is drawn; what Plotly does in between is not looked at, so that
// watching costs next to nothing. One out of view is drawn too, but nobody waits for it.
const MAP = ".st-key-tjfig-journey-map"
function changed(place, isFigure) {
  if (!place?.closest?.('[data-testid="stMain"]')) return
  const { watched } = window
  watched.page = performance.now()
  if (!isFigure) return
  watched.figure = watched.page
  const { top, bottom, width } = place.getBoundingClientRect()
  if (width && bottom > 0 && top < window.innerHeight) watched.seen = watched.page
}

function inPage(changes) {
  for (const { target, attributeName } of changes) {
    if (attributeName === "data-test-script-state") {
      if (target.dataset.testScriptState === "running") window.watched.runs += 1
    } else if (attributeName === "data-drawn") {
      if ("drawn" in target.dataset) changed(target, true)
    } else if (!(target instanceof SVGElement)) {
      changed(target.nodeType === Node.ELEMENT_NODE ? target : target.parentElement, target.nodeName === "IMG")
    }
  }
}

new MutationObserver(inPage).observe(document, {
  subtree: true, childList: true, characterData: true,
  attributeFilter: ["data-test-script-state", "data-drawn", "src"],
})

const { attachShadow } = Element.prototype
Element.prototype.attachShadow = function (...options) {
  const root = attachShadow.apply(this, options)
  const inShadow = () => changed(this, Boolean(this.closest(MAP)))
  new MutationObserver(inShadow).observe(root, {
    subtree: true, childList: true, characterData: true, attributes: true,
  })
  return root
}

window.watched.begin = begin
for (const kind of ["keydown", "pointerdown"]) {
  document.addEventListener(kind, () => {
    window.watched.pressed ||= performance.now()
  }, true)
}
