/**
 * `npm run bench:dashboard [ROUNDS]`: the dashboard in a real Chromium, over a mesh in which everything is
 * under way. Printed: its size, the time to its first words, the time from an event to the screen (median
 * and worst), what an hour of events, one a second, leaves in the page's memory, and what axe finds on every
 * page in every look.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import type { RunningApi } from '../api/running-api.js';
import { runBusyMesh, shownPages, views } from '../dashboard/shown-pages.js';
import { startBrowser, type TestBrowser } from '../support/browser.js';
import { projectPath } from '../support/project.js';

/** An hour, an event a second. */
const hourEvents = 3_600;
/** Waited for now and then, so that the page sees states and not only the last of them. */
const eventsBetweenLooks = 10;

const load = () => `load ${loadavg()[0]?.toFixed(1)}`;

async function main(): Promise<void> {
  const rounds = Number(process.argv[2] ?? 30);
  const running = await runBusyMesh();
  const browser = await startBrowser();
  try {
    printSize();
    await printFirstWords(browser, running, rounds);
    await printEvents(browser, running, rounds);
    await printAccessibility(browser, running);
  } finally {
    await browser.stop();
    await running.stop();
  }
}

function printSize(): void {
  const folder = projectPath('dist/controller/dashboard');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(html|js|css|svg)$/.test(name))
    .map((name) => readFileSync(join(folder, name)));
  const sum = (sizeOf: (bytes: Buffer) => number) =>
    `${(files.reduce((total, bytes) => total + sizeOf(bytes), 0) / 1024).toFixed(1)} KiB`;
  const sizes = [
    `${sum((bytes) => gzipSync(bytes).length)} gzip`,
    `${sum((bytes) => brotliCompressSync(bytes).length)} brotli`,
    `${sum((bytes) => bytes.length)} plain`,
  ];
  console.log(`size: ${sizes.join(', ')}, in ${files.length} files`);
}

/** From the start of the navigation to the sentence that says how everything stands, and to any paint. */
async function printFirstWords(browser: TestBrowser, running: RunningApi, rounds: number) {
  const view = await browser.open(running.url);
  await view.page.addInitScript(`
    new MutationObserver((_, self) => {
      if (document.querySelector('.headline h1')) { window.firstWordsMs = performance.now(); self.disconnect(); }
    }).observe(document, { childList: true, subtree: true });
  `);
  const words: number[] = [];
  const paints: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    await view.page.reload();
    await view.page.locator('.headline h1').waitFor();
    words.push(Number(await view.page.evaluate('window.firstWordsMs')));
    const paint = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime";
    paints.push(Number(await view.page.evaluate(paint)));
  }
  await view.close();
  console.log(`first paint: ${spreadOf(paints)}; first words: ${spreadOf(words)}; ${load()}`);
}

/** A pause and its end, one after the other: each changes the first sentence of the page. */
async function printEvents(browser: TestBrowser, running: RunningApi, rounds: number) {
  const view = await browser.open(running.url);
  const { page } = view;
  await page.locator('.headline h1').waitFor();
  // `Date.now` is the same clock in both processes.
  await page.evaluate(`
    window.seen = [];
    new MutationObserver(() => window.seen.push([document.querySelector('.headline h1').innerText, Date.now()]))
      .observe(document.querySelector('main'), { childList: true, subtree: true, characterData: true });
  `);
  const switched = (index: number) =>
    running.run(`${index % 2 === 0 ? 'pause' : 'resume'} checkout-4 measured`);
  const titleAfter = (index: number) => (index % 2 === 0 ? '3 things' : '2 things');
  // Not `waitForFunction`: the page's policy forbids what that evaluates.
  const shows = (index: number) =>
    page.locator('.headline h1', { hasText: titleAfter(index) }).waitFor();
  const delays: number[] = [];
  for (let round = 0; round < rounds * 2; round += 1) {
    await page.evaluate('window.seen = []');
    const fromMs = Date.now();
    switched(round);
    await shows(round);
    const find = `window.seen.find(([text]) => text.startsWith('${titleAfter(round)}'))[1]`;
    delays.push(Number(await page.evaluate(find)) - fromMs);
  }
  console.log(`event to screen: ${spreadOf(delays)} of ${delays.length}; ${load()}`);

  const session = await page.context().newCDPSession(page);
  const heap = async () => {
    await page.evaluate('window.seen = []');
    await session.send('HeapProfiler.collectGarbage');
    return (await session.send('Runtime.getHeapUsage')).usedSize / 1024 / 1024;
  };
  const before = await heap();
  const startedMs = Date.now();
  for (let event = 0; event < hourEvents; event += 1) {
    switched(event);
    if (event % eventsBetweenLooks === eventsBetweenLooks - 1) {
      await shows(event);
    }
  }
  const after = await heap();
  const took = ((Date.now() - startedMs) / 1000).toFixed(0);
  console.log(
    `memory of the page: ${before.toFixed(1)} MiB before, ${after.toFixed(1)} MiB after ` +
      `${hourEvents} events in ${took} s; ${load()}`,
  );
  await view.close();
}

async function printAccessibility(browser: TestBrowser, running: RunningApi) {
  const found: string[] = [];
  for (const { path, first } of shownPages) {
    for (const { scheme, width } of views) {
      const view = await browser.open(`${running.url}${path}`, { scheme, width });
      await view.page.locator('main').getByText(first).first().waitFor();
      found.push(...(await view.violations()).map((text) => `${path} ${scheme} ${width}\n${text}`));
      await view.close();
    }
  }
  const looks = shownPages.length * views.length;
  const pages = `${shownPages.length} pages, ${looks} looks (light, dark, 400 px)`;
  console.log(`axe: ${found.length} violations on ${pages}`);
  for (const violation of found) {
    console.log(violation);
  }
}

/** In whole milliseconds: half are at most the first, none is more than the second. */
function spreadOf(values: readonly number[]): string {
  const sorted = [...values].sort((left, right) => left - right);
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
  return `${Math.round(median)} ms median, ${Math.round(sorted.at(-1) ?? 0)} ms worst`;
}

await main();
