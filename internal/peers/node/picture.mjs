// Takes the picture of the demo page for the documentation: two people in a room of a running server.
//
//   CHROMIUM=/usr/bin/chromium node picture.mjs http://127.0.0.1:1234 ../../../docs/demo.png

import { chromium } from 'playwright-core'

const [server, path] = process.argv.slice(2)
const room = 'harbour-walk'
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] })

async function join (name) {
  const context = await browser.newContext({ viewport: { width: 1000, height: 500 } })
  const page = await context.newPage()
  await page.goto(`${server}/?room=${room}`)
  await page.locator('#name').fill(name)
  await page.keyboard.press('Enter')
  await page.locator('.cm-content').click()
  return page
}

async function press (page, ...keys) {
  for (const key of keys) await page.keyboard.press(key)
}

const ada = await join('Ada')
await press(ada, 'Control+a', 'Delete')
await ada.keyboard.type(`Walk along the harbour

We meet on Thursday at ten, at the old crane. Please bring what you have, even if it is only a sketch: we will put it together there.

- Map of the harbour (Ada)
- Tide tables
`)
const grace = await join('Grace')
const linus = await join('Linus')
await press(linus, 'Control+End')
await linus.keyboard.type('- Lamp and rope')
await ada.getByText('Lamp and rope').waitFor()
await press(ada, 'Control+End')
await press(grace, 'Control+Home', 'ArrowDown', 'ArrowDown', ...Array(11).fill('ArrowRight'), ...Array(15).fill('Shift+ArrowRight'))
await press(linus, 'ArrowLeft', 'End')
await ada.locator('.flag').nth(1).waitFor()
await ada.getByText('Saved', { exact: true }).waitFor()
await ada.screenshot({ path })
await browser.close()
