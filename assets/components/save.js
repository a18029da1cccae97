// A text from the server, saved as a file: once for each time it was asked for, however often the page
// is drawn.

export function save({ name, text, time }, place) {
  if (place.saved === time) return
  place.saved = time
  const link = document.createElement("a")
  link.href = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }))
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 10000)
}

export default ({ data: [data], parentElement }) => save(data, parentElement)
