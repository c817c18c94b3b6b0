/** Pages of `docs/` that are made from the code are what the code says now. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fileText, markdownTable } from '../../controller/reference/page.js';
import { generatedPages } from '../../controller/reference/pages.js';
import { projectPath } from '../support/project.js';

const reference = suite('generated pages');

const pages = await generatedPages();

for (const page of pages) {
  reference(`${page.path} is current`, () => {
    const path = projectPath(page.path);
    const written = existsSync(path) ? readFileSync(path, 'utf8') : '';
    assert.ok(
      written === fileText(page),
      `${page.path} is not current: npm run build && npm run docs`,
    );
  });

  reference(`${page.path} links to what is there`, () => {
    const links = [...page.text.matchAll(/\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)/g)];
    for (const [, target = ''] of links) {
      const path = join(dirname(page.path), target);
      assert.ok(existsSync(projectPath(path)), `${page.path} links to ${path}`);
    }
  });
}

reference('a table keeps its columns, whatever is in a cell', () => {
  assert.is(
    markdownTable(['A', 'B'], [['x|y', 'two\nlines']]),
    '| A | B |\n| --- | --- |\n| x\\|y | two lines |\n',
  );
});

reference.run();
