// Bundles the page from src/ into dist/, which is committed so that Go users need no Node.
//
//   node build.mjs           writes dist/
//   node build.mjs --check   fails when dist/ is not what src/ gives

import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const here = dirname(fileURLToPath(import.meta.url))
const dist = join(here, 'dist')

/** Returns the files of the bundle by name. */
async function bundle () {
  const { outputFiles, metafile } = await build({
    absWorkingDir: here,
    entryPoints: { app: 'src/main.js', style: 'src/app.css' },
    entryNames: '[name]-[hash]',
    outdir: 'dist',
    bundle: true,
    minify: true,
    format: 'esm',
    target: ['chrome111', 'firefox113', 'safari16.4'],
    legalComments: 'none',
    metafile: true,
    write: false
  })
  const files = new Map(outputFiles.map(file => [relative(dist, file.path), Buffer.from(file.contents)]))
  const icon = readFileSync(join(here, 'src/icon.svg'))
  files.set(`icon-${createHash('sha256').update(icon).digest('hex').slice(0, 8)}.svg`, icon)
  files.set('index.html', page([...files.keys()]))
  files.set('THIRD_PARTY_LICENSES.txt', licenses(Object.keys(metafile.inputs)))
  return files
}

/** The page, with the names of the assets filled in; the nonce is the server's to fill in. */
function page (names) {
  const named = (start, end) => '/' + names.find(name => name.startsWith(start) && name.endsWith(end))
  return Buffer.from(readFileSync(join(here, 'src/index.html'), 'utf8')
    .replaceAll('%ICON%', named('icon-', '.svg'))
    .replaceAll('%STYLE%', named('style-', '.css'))
    .replaceAll('%SCRIPT%', named('app-', '.js')))
}

/** The licences of the packages that a file of the bundle comes from. */
function licenses (inputs) {
  const packages = new Set(inputs.map(input => input.match(/^node_modules\/((?:@[^/]+\/)?[^/]+)\//)?.[1]).filter(Boolean))
  const sections = [...packages].sort().map(name => {
    const folder = join(here, 'node_modules', name)
    const { version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    const file = readdirSync(folder).find(entry => /^licen[cs]e/i.test(entry))
    if (file === undefined) throw new Error(`${name} ${version} has no licence file`)
    return `${name} ${version} (${license})\n\n${readFileSync(join(folder, file), 'utf8').replaceAll('\r\n', '\n').trim()}\n`
  })
  const line = '-'.repeat(80)
  return Buffer.from(`The demo page contains code of these packages.\n\n${sections.map(text => `${line}\n${text}`).join('\n')}`)
}

function write (files) {
  rmSync(dist, { recursive: true, force: true })
  mkdirSync(dist)
  for (const [name, content] of files) writeFileSync(join(dist, name), content)
  for (const [name, content] of files) console.log(`${String(content.length).padStart(8)}  dist/${name}`)
}

/** Says what in dist/ differs from the bundle. */
function drift (files) {
  const committed = existsSync(dist) ? readdirSync(dist) : []
  const changed = [...files].filter(([name, content]) => !committed.includes(name) || !content.equals(readFileSync(join(dist, name))))
  return [...changed.map(([name]) => name), ...committed.filter(name => !files.has(name))]
}

const files = await bundle()
if (process.argv.includes('--check')) {
  const differing = drift(files)
  if (differing.length > 0) {
    console.error(`dist/ is not what src/ gives: ${differing.join(', ')}\nRun "make web" and commit the result.`)
    process.exit(1)
  }
} else {
  write(files)
}
