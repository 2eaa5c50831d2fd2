/** One line of CSV (RFC 4180); what a spreadsheet would take for a formula is defused. */
export function csvLine(cells: (string | number)[]): string {
  return cells
    .map((cell) => {
      if (typeof cell === 'number') return String(cell)
      const text = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell
      return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
    })
    .join(',')
}

/** Hands a text to the browser as a file; the mark at its beginning tells Excel that it is UTF-8. */
export function download(name: string, lines: string[]): void {
  const url = URL.createObjectURL(new Blob(['\ufeff', lines.join('\r\n'), '\r\n'], { type: 'text/csv;charset=utf-8' }))
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
}
