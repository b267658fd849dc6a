const confirmationTime = 2000

/** Lets a button copy a link, and tells whether that worked, in the button and to screen readers. */
export function copyOnClick (button, announcer, link) {
  const label = button.textContent
  let timer = 0
  button.addEventListener('click', async () => {
    const copied = await copy(link)
    button.focus()
    button.textContent = copied ? 'Copied' : 'Copy it from the address bar'
    announcer.textContent = copied ? 'Link copied.' : 'The link could not be copied.'
    clearTimeout(timer)
    timer = setTimeout(() => { button.textContent = label }, confirmationTime)
  })
}

/** Outside of https and localhost there is no clipboard object, only the old command. */
async function copy (link) {
  try {
    await navigator.clipboard.writeText(link)
    return true
  } catch {
    const field = document.createElement('textarea')
    field.value = link
    document.body.append(field)
    field.select()
    const done = document.execCommand('copy')
    field.remove()
    return done
  }
}
