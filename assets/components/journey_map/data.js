// The map of a journey. The files of this folder are one module, joined in the order that
// tokenjourney/ui/journey_map.py names. All texts come from a prompt or from the page's texts, so
// they are set with textContent and never as HTML.

// ---- what arrives: a length, a JSON header, and the arrays that it describes, one after another

const KINDS = {
  i2: Int16Array, i4: Int32Array, u1: Uint8Array, u2: Uint16Array, f4: Float32Array,
}

function unpacked(bytes) {
  const size = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true)
  const head = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + size)))
  for (const [name, [kind, shape, start]] of Object.entries(head.arrays)) {
    const Kind = KINDS[kind]
    const length = shape.reduce((a, b) => a * b, 1)
    const from = bytes.byteOffset + 4 + size + start
    const part = bytes.buffer.slice(from, from + length * Kind.BYTES_PER_ELEMENT)
    head[name] = Object.assign(new Kind(part), { shape })
  }
  return head
}

function sameBytes(a, b) {
  if (!a || !b || a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

// ---- numbers and words

const MINUS = "−"

function number(value, digits = 2) {
  const places = Math.abs(value) >= 100 ? 0 : digits
  const shown = Math.abs(value).toLocaleString("en-US", {
    minimumFractionDigits: places, maximumFractionDigits: places,
  })
  return (value < 0 && /[1-9]/.test(shown) ? MINUS : "") + shown
}

const whole = (value) => value.toLocaleString("en-US")

function share(value) {
  const percent = 100 * value
  if (percent === 0) return "0 %"
  if (percent < 0.05) return "< 0.1 %"
  return percent < 9.95 ? `${percent.toFixed(1)} %` : `${percent.toFixed(0)} %`
}

// A text with its {names} filled in. What is not given stays as it is.
const filled = (template, values) =>
  template.replace(/\{([a-z_0-9]+)\}/g, (all, name) => (name in values ? String(values[name]) : all))

// ---- colours

function rgb(hex) {
  return [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16))
}

// A table of `n` colours along a scale of equal steps.
function colourTable(scale, n) {
  const stops = scale.map(rgb)
  const table = new Uint8Array(n * 3)
  for (let i = 0; i < n; i++) {
    const at = (i / (n - 1)) * (stops.length - 1)
    const low = Math.min(stops.length - 2, Math.floor(at))
    for (let c = 0; c < 3; c++) {
      table[i * 3 + c] = Math.round(stops[low][c] + (at - low) * (stops[low + 1][c] - stops[low][c]))
    }
  }
  return table
}

// A small picture as a data address: `index(i)` is the place of pixel i in the table, or -1 for none.
function picture(width, height, table, index) {
  const canvas = document.createElement("canvas")
  canvas.width = width
  canvas.height = height
  const context = canvas.getContext("2d")
  const image = context.createImageData(width, height)
  for (let i = 0; i < width * height; i++) {
    const at = index(i)
    if (at < 0) continue
    image.data[i * 4] = table[at * 3]
    image.data[i * 4 + 1] = table[at * 3 + 1]
    image.data[i * 4 + 2] = table[at * 3 + 2]
    image.data[i * 4 + 3] = 255
  }
  context.putImageData(image, 0, 0)
  return canvas.toDataURL()
}

// How the numbers of a strip lie: lines of equal length, in reading order.
function stripLines(d) {
  let lines = d <= 256 ? 4 : d <= 1024 ? 8 : 10
  while (d % lines) lines--
  return lines
}

function stripPicture(values, row, d, step, limit, table) {
  const lines = stripLines(d)
  const half = 127
  const scale = (step / limit) * half
  return picture(d / lines, lines, table, (i) =>
    half + Math.max(-half, Math.min(half, Math.round(values[row * d + i] * scale))))
}

function patternPicture(values, start, side, table) {
  return picture(side, side, table, (i) =>
    i % side > Math.floor(i / side) ? -1 : Math.round(255 * (values[start + i] / 255) ** 0.7))
}
