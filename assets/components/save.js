// A text from the server, saved as a file: once, however often the page is drawn.

export default function ({ data, parentElement }) {
  const { name, text } = data
  if (parentElement.saved === name) return
  parentElement.saved = name
  const link = document.createElement("a")
  link.href = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }))
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 10000)
}
