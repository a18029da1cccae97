// Where everything stands. All in CSS pixels of the map's own picture, from the width there is.

const HEADROOM = 24 // above the station names, for the three parts of the way
const TOP = 114 // of the rows
const FULL = 366 // height for all rows together, where they fit
const LEAST = 280 // height of the rows' place, however few there are
const SCROLLS = 760 // narrower, the map keeps its width and scrolls sideways
const LEAST_WIDTH = 944
const OPEN = 118 // width of the block at the scrubber where columns are narrow
const LANDS = 0.62 // where in a column attention arrives
const RING = 0.82 // where in a column the feed-forward part stands

function columns(data, width, station) {
  const wide = width >= 1060
  const n = data.config.n_layers
  const chip = wide ? 112 : 98
  const strip = wide ? 96 : 72
  const embedding = chip + (wide ? 14 : 12)
  const position = embedding + strip + 20
  const stack = position + strip + 26
  const right = 98 + (wide ? 86 : 80) + (wide ? 84 : 64) + 48
  const room = width - stack - right
  const plain = room / n
  const open = plain < 22 && station >= 3 && station < 3 + n ? station - 3 : -1
  const each = open < 0 ? plain : (room - OPEN) / (n - 1)
  const blocks = []
  for (let b = 0, x = stack; b < n; b++) {
    const w = b === open ? OPEN : each
    blocks.push({ x, w, centre: x + w / 2 })
    x += w
  }
  const end = stack + room
  const label = end + 98
  return {
    wide, chip, strip, embedding, position, stack, end, blocks, open, plain,
    norm: end + 24, tip: end + 36, label, bars: label + (wide ? 86 : 80),
    barMost: wide ? 84 : 64, width,
  }
}

function rows(data) {
  const n = data.rows.length
  const crowded = n > 26
  const big = new Set(crowded ? data.keep : data.rows)
  const nBig = data.rows.filter((position) => big.has(position)).length
  let pitch = Math.max(11, Math.min(35, FULL / n))
  let small = pitch
  if (crowded) {
    pitch = 17
    small = Math.max(5.4, Math.min(11, (FULL - nBig * pitch) / (n - nBig)))
  }
  const total = nBig * pitch + (n - nBig) * small
  const height = Math.max(LEAST, total)
  let y = TOP + (height - total) / 2
  const places = data.rows.map((position, i) => {
    const open = big.has(position)
    const h = open ? pitch : small
    if (i > 0 && position !== data.rows[i - 1] + 1) y += 8
    y += h
    const chip = !open ? Math.min(4.5, small - 1) : pitch > 20 ? Math.min(26, pitch * 0.8) : pitch - 1.4
    const most = open ? Math.min(24, pitch * 0.69) : Math.min(4.5, small - 0.9)
    return { position, y: y - h / 2, pitch: h, chip, most, open }
  })
  const bottom = Math.max(y, TOP + height)
  return { places, pitch, crowded, top: TOP, bottom }
}

function layout(data, width, station) {
  const across = columns(data, width, station)
  const down = rows(data)
  const rule = down.bottom + 12
  const foot = rule + (across.plain < GUESS_FITS ? 70 : 54)
  const shapes = foot + 20
  const scrubber = shapes + 24
  const stops = [
    across.chip / 2,
    across.embedding + across.strip / 2,
    across.position + across.strip / 2,
    ...across.blocks.map((block) => block.centre),
    across.norm,
    across.bars,
  ]
  return { ...across, ...down, rule, foot, shapes, scrubber, stops, height: scrubber + 16 }
}

// Width of a track: the length of the vector, on one scale for all rows; longer ones are cut.
function trackWidth(view, row, length) {
  const part = Math.min(1, length / view.data.top)
  return Math.max(0.8, row.most * (view.root.dataset.width === "root" ? Math.sqrt(part) : part))
}

const normWidth = (row) => Math.max(1.2, row.most * 0.5)

// x along a curve at t, and y, both from 0 to 1: flat at both ends.
const alongX = (t) => 3 * (1 - t) ** 2 * t * 0.6 + 3 * (1 - t) * t ** 2 * 0.4 + t ** 3
const alongY = (t) => 3 * (1 - t) * t ** 2 + t ** 3

function curveEnds(view, block) {
  const column = view.at.blocks[block]
  return [column.x + Math.min(2, column.w * 0.05), column.x + column.w * LANDS]
}

function curvePath(x0, y0, x1, y1) {
  const w = x1 - x0
  return `M${x0.toFixed(1)} ${y0.toFixed(1)}C${(x0 + 0.6 * w).toFixed(1)} ${y0.toFixed(1)} ` +
    `${(x0 + 0.4 * w).toFixed(1)} ${y1.toFixed(1)} ${x1.toFixed(1)} ${y1.toFixed(1)}`
}
