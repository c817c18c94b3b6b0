/** Links of the documentation lead somewhere: to a file that is there, and to a heading that is in it. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { projectPath } from '../support/project.js';

const links = suite('links of the documentation');

const root = projectPath('.');
const folders = ['docs', 'controller', 'mesh-repo-example', 'test'];
const pages = [
  ...readdirSync(root).map((name) => join(root, name)),
  ...folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) =>
      join(root, folder, name),
    ),
  ),
].filter((path) => path.endsWith('.md') && !path.includes('/golden/'));

/** As GitHub makes an anchor of a heading. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replace(/\s/g, '-');
}

function anchorsOf(path: string): readonly string[] {
  const text = readFileSync(path, 'utf8').replace(/^```[\s\S]*?^```/gm, '');
  const headings = [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => anchorOf(heading));
  const named = [...text.matchAll(/<a (?:id|name)="([^"]+)"/g)].map(([, name = '']) => name);
  return [...headings, ...named];
}

function isThere(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

links('there are pages to look at', () => {
  assert.ok(pages.length > 30, `${pages.length} pages`);
});

links('each leads to a file, and to a heading in it', () => {
  const broken = pages.flatMap((page) => {
    const text = readFileSync(page, 'utf8')
      .replace(/^```[\s\S]*?^```/gm, '')
      .replace(/`[^`\n]*`/g, '');
    return [...text.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, target = '']) => {
      if (/^[a-z]+:/.test(target)) {
        return [];
      }
      const [file = '', anchor] = target.split('#');
      const path = file === '' ? page : join(dirname(page), file);
      const isRight =
        isThere(path) && (anchor === undefined || anchorsOf(path).includes(anchor.toLowerCase()));
      return isRight ? [] : [`${relative(root, page)}: ${target}`];
    });
  });
  assert.equal(broken, []);
});

links('every page of docs/ is reached from its index', () => {
  const reached = new Set<string>();
  const waiting = [join(root, 'docs/README.md')];
  for (let page = waiting.pop(); page !== undefined; page = waiting.pop()) {
    if (reached.has(page) || !isThere(page)) {
      continue;
    }
    reached.add(page);
    const here = page;
    for (const [, target = ''] of readFileSync(page, 'utf8').matchAll(/\]\(([^)#\s]+)/g)) {
      const path = join(dirname(here), target);
      if (path.endsWith('.md')) {
        waiting.push(path);
      } else if (isThere(path) && statSync(path).isDirectory()) {
        waiting.push(
          ...readdirSync(path).flatMap((name) => (name.endsWith('.md') ? [join(path, name)] : [])),
        );
      }
    }
  }
  const lost = pages.filter((page) => page.startsWith(join(root, 'docs/')) && !reached.has(page));
  assert.equal(
    lost.map((page) => relative(root, page)),
    [],
  );
});

links.run();
