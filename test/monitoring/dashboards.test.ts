/**
 * The two dashboards against what Grafana documents of its classic dashboard JSON: no Grafana is at hand
 * that could show them. Their queries are put to a Prometheus in `watched.test.ts`.
 */
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { projectPath } from '../support/project.js';

interface Place {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: Place;
  readonly panels?: readonly Panel[];
  readonly datasource?: { readonly type: string; readonly uid: string };
  readonly targets?: readonly { readonly refId: string; readonly expr: string }[];
}

interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly schemaVersion: number;
  readonly time: { readonly from: string; readonly to: string };
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly type: string }[];
  };
  readonly panels: readonly Panel[];
}

/** Panels that every Grafana has; `row` only heads those below it. */
const panelTypes = ['row', 'stat', 'timeseries', 'state-timeline'];

/** Grafana's grid has so many columns. */
const columns = 24;

const test = suite('dashboards');

function overlap(left: Place, right: Place): boolean {
  const isApart = (a: number, width: number, b: number) => a + width <= b;
  return !(
    isApart(left.x, left.w, right.x) ||
    isApart(right.x, right.w, left.x) ||
    isApart(left.y, left.h, right.y) ||
    isApart(right.y, right.h, left.y)
  );
}

for (const name of ['headgate-controller', 'headgate-rollout']) {
  const path = projectPath(`docs/operations/monitoring/${name}.json`);
  const dashboard = JSON.parse(readFileSync(path, 'utf8')) as Dashboard;
  const { panels, templating } = dashboard;
  const drawn = panels.filter(({ type }) => type !== 'row');

  test(`${name}: is named, and its panels are of kinds that Grafana has`, () => {
    assert.match(dashboard.uid, /^[\w-]{8,40}$/);
    assert.match(dashboard.title, /^Headgate/);
    assert.ok(dashboard.schemaVersion >= 36, 'older ones are migrated in ways of their own');
    assert.equal([...new Set(panels.map(({ id }) => id))].length, panels.length, 'ids differ');
    for (const { type, title, panels: inner } of panels) {
      assert.ok(panelTypes.includes(type), `${title}: ${type}`);
      assert.equal(inner ?? [], [], `${title}: an open row has its panels beside it`);
    }
  });

  test(`${name}: every panel has its place, and none covers another`, () => {
    for (const [index, { title, gridPos }] of panels.entries()) {
      assert.ok(gridPos.x >= 0 && gridPos.w > 0 && gridPos.x + gridPos.w <= columns, title);
      for (const other of panels.slice(index + 1)) {
        assert.not.ok(overlap(gridPos, other.gridPos), `${title} covers ${other.title}`);
      }
    }
  });

  test(`${name}: every panel says what it shows, and asks the source that was chosen`, () => {
    assert.equal(templating.list[0]?.type, 'datasource');
    const known = ['__rate_interval', ...templating.list.map((variable) => variable.name)];
    for (const { title, description = '', datasource, targets = [] } of drawn) {
      assert.match(description, /\.$/, title);
      assert.equal(datasource, { type: 'prometheus', uid: '$datasource' }, title);
      assert.equal(new Set(targets.map(({ refId }) => refId)).size, targets.length, title);
      assert.ok(targets.length > 0, title);
      for (const { expr } of targets) {
        for (const [, variable = ''] of expr.matchAll(/\$(\w+)/g)) {
          assert.ok(known.includes(variable), `${title}: $${variable}`);
        }
      }
    }
  });
}

test.run();
