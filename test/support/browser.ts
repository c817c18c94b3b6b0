/**
 * A real Chromium looking at the dashboard. Each page keeps what a reader's browser would have complained
 * of (errors, refused policies, requests to elsewhere), and can be judged by axe; pictures of it go to
 * test-output/dashboard/ for people to look at.
 */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type Browser, chromium, type Page } from 'playwright-core';
import * as assert from 'uvu/assert';
import { projectPath } from './project.js';

const program = process.env.HEADGATE_CHROMIUM ?? '/usr/bin/chromium';

const flags = [
  ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
];

/** What a page shows, it shows within a second or two, and on a machine with much else to do within ten. */
const waitMs = 20_000;

export interface ViewOptions {
  readonly scheme?: 'light' | 'dark';
  /** CSS pixels. */
  readonly width?: number;
}

export interface View {
  readonly page: Page;
  /** What the browser complained of so far. */
  readonly complaints: string[];
  /** Fails with each rule of axe that the page breaks. */
  assertAccessible(): Promise<void>;
  /** Each rule of axe that the page breaks, with where. */
  violations(): Promise<readonly string[]>;
  /** Fails where the page is wider than its window. */
  assertFits(): Promise<void>;
  /** Saves a picture of the whole page. */
  picture(name: string): Promise<void>;
  close(): Promise<void>;
}

export interface TestBrowser {
  /** Opens `url` in a context of its own: no cookies, nothing stored. */
  open(url: string, options?: ViewOptions): Promise<View>;
  stop(): Promise<void>;
}

export async function startBrowser(): Promise<TestBrowser> {
  assert.ok(existsSync(program), `${program} is missing; install Debian's package chromium`);
  const browser = await chromium.launch({ executablePath: program, args: flags });
  return {
    open: (url, options) => openView(browser, url, options),
    stop: () => browser.close(),
  };
}

async function openView(browser: Browser, url: string, options: ViewOptions = {}): Promise<View> {
  const { scheme = 'light', width = 1280 } = options;
  const context = await browser.newContext({
    viewport: { width, height: 860 },
    colorScheme: scheme,
    locale: 'en-GB',
    timezoneId: 'UTC',
  });
  const page = await context.newPage();
  page.setDefaultTimeout(waitMs);
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) {
      complaints.push(message.text());
    }
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== new URL(url).origin) {
      complaints.push(`a request to ${request.url()}`);
    }
  });
  await page.goto(url);
  return {
    page,
    complaints,
    violations: () => violationsOf(page),
    assertAccessible: async () => {
      assert.is((await violationsOf(page)).join('\n'), '', `axe on ${page.url()}`);
    },
    assertFits: async () => {
      const wide = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
      assert.ok(Number(wide) <= 0, `${page.url()} is ${wide} pixels wider than its window`);
    },
    picture: async (name) => {
      const folder = projectPath('test-output/dashboard');
      mkdirSync(folder, { recursive: true });
      await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });
    },
    close: () => context.close(),
  };
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface AxeResult {
  readonly violations: readonly {
    readonly id: string;
    readonly help: string;
    readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
  }[];
}

async function violationsOf(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe);
  const { violations } = (await page.evaluate('axe.run(document)')) as AxeResult;
  return violations.map(({ id, help, nodes }) => {
    const places = nodes.map(({ html, failureSummary }) => `    ${html}\n      ${failureSummary}`);
    return `  ${id}: ${help}\n${places.join('\n')}`;
  });
}
