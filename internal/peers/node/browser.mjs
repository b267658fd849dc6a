// Drives one Chromium with any number of windows, each with a fresh profile of its own.
//
// Requests name the window they are for ("window"); "timeout" is in milliseconds.
//
//   open     { url }                    a window with a fresh profile shows this page
//   type     { text, delay }            keys pressed one after another, with a pause in milliseconds
//   press    { key }                    one key, as "Control+End"
//   click    { selector }
//   fill     { selector, text }         into a field, then Enter
//   evaluate { expression }             -> its value
//   until    { expression, timeout }    until its value is true
//   problems {}                         -> uncaught errors and violations of the page's security policy
//   close    {}                         the window and its profile
//
// The path of the browser comes in CHROMIUM.

import { setTimeout } from 'node:timers/promises'
import { chromium } from 'playwright-core'
import { serve } from './lines.mjs'

const pollingInterval = 20

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM,
  args: [
    '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage'
  ]
})
const windows = new Map()

const find = ({ window: key }) => {
  const window = windows.get(key)
  if (window === undefined) throw new Error(`no window ${JSON.stringify(key)}`)
  return window
}

async function open ({ window: key, url }) {
  if (windows.has(key)) throw new Error(`window ${JSON.stringify(key)} is open already`)
  const context = await browser.newContext()
  const page = await context.newPage()
  const problems = []
  page.on('pageerror', error => problems.push(error.message))
  page.on('console', message => {
    if (message.text().includes('Content Security Policy')) problems.push(message.text())
  })
  windows.set(key, { page, problems })
  await page.goto(url)
}

/** Asks again and again from here: the page's security policy forbids it to do that by itself. */
async function until ({ window, expression, timeout }) {
  const deadline = Date.now() + timeout
  const { page } = find({ window })
  while (!await page.evaluate(expression).catch(falseWhileNavigating)) {
    if (Date.now() > deadline) throw new Error(`not within ${timeout} ms: ${expression}`)
    await setTimeout(pollingInterval)
  }
}

const falseWhileNavigating = error => {
  if (!error.message.includes('Execution context was destroyed')) throw error
  return false
}

serve({
  open,
  type: request => find(request).page.keyboard.type(request.text, { delay: request.delay }),
  press: request => find(request).page.keyboard.press(request.key),
  click: request => find(request).page.locator(request.selector).click(),
  fill: async request => {
    const field = find(request).page.locator(request.selector)
    await field.fill(request.text)
    await field.press('Enter')
  },
  evaluate: request => find(request).page.evaluate(request.expression),
  until,
  problems: request => find(request).problems,
  close: async request => {
    await find(request).page.context().close()
    windows.delete(request.window)
  }
}, { close: () => browser.close() })
