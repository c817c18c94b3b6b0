/** The few parts of Grafana's dashboard JSON that our dashboards need, laid out in rows of 24 columns. */

export interface Query {
  /** PromQL; `$mesh` and the like are variables of the dashboard. */
  readonly expr: string;
  /** `{{label}}` stands for the label's value. */
  readonly legend: string;
  /** A limit: drawn as a dashed line. */
  readonly isLimit?: boolean;
}

export interface Panel {
  readonly title: string;
  readonly kind: 'timeseries' | 'stat' | 'state-timeline';
  /** Grafana's names: `s`, `ms`, `bytes`, `percent`, `reqps`, `short`, `dateTimeFromNow`. */
  readonly unit: string;
  readonly queries: readonly Query[];
  /** Of 24. */
  readonly width: number;
  /** What the panel tells, shown on hover. */
  readonly about: string;
}

export interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly about: string;
  readonly variables: readonly { readonly name: string; readonly query: string }[];
  readonly rows: readonly Row[];
}

const panelHeight = 8;
const rowHeight = 1;
const columns = 24;
const datasource = { type: 'prometheus', uid: '$datasource' };

/** The dashboard as Grafana imports it (schema 39, Grafana 10 and later). */
export function renderDashboard(dashboard: Dashboard): string {
  const { uid, title, about, variables, rows } = dashboard;
  const panels: object[] = [];
  let top = 0;
  for (const row of rows) {
    panels.push({
      id: panels.length + 1,
      type: 'row',
      title: row.title,
      collapsed: false,
      gridPos: { x: 0, y: top, w: columns, h: rowHeight },
      panels: [],
    });
    top += rowHeight;
    let left = 0;
    for (const panel of row.panels) {
      if (left + panel.width > columns) {
        left = 0;
        top += panelHeight;
      }
      panels.push(renderPanel(panel, panels.length + 1, { x: left, y: top }));
      left += panel.width;
    }
    top += panelHeight;
  }
  const json = {
    uid,
    title,
    description: about,
    tags: ['headgate'],
    schemaVersion: 39,
    editable: true,
    refresh: '10s',
    time: { from: 'now-1h', to: 'now' },
    templating: { list: [datasourceVariable, ...variables.map(renderVariable)] },
    panels,
  };
  return `${JSON.stringify(json, undefined, 2)}\n`;
}

const datasourceVariable = {
  name: 'datasource',
  label: 'Data source',
  type: 'datasource',
  query: 'prometheus',
};

function renderVariable({ name, query }: Dashboard['variables'][number]) {
  return {
    name,
    label: name,
    type: 'query',
    datasource,
    definition: query,
    query: { query, refId: name },
    // Again whenever the time range changes: rollouts come and go.
    refresh: 2,
    sort: 1,
  };
}

function renderPanel(panel: Panel, id: number, at: { readonly x: number; readonly y: number }) {
  const { title, kind, unit, queries, width, about } = panel;
  const limits = queries.filter(({ isLimit }) => isLimit);
  return {
    id,
    type: kind,
    title,
    description: about,
    datasource,
    gridPos: { ...at, w: width, h: panelHeight },
    fieldConfig: {
      defaults: { unit, ...(kind === 'timeseries' && { min: 0 }) },
      overrides: limits.map(({ legend }) => ({
        matcher: { id: 'byRegexp', options: `/^${legend.replace(/\{\{.*?\}\}/g, '.*')}$/` },
        properties: [
          { id: 'custom.lineStyle', value: { fill: 'dash', dash: [8, 6] } },
          { id: 'custom.fillOpacity', value: 0 },
        ],
      })),
    },
    options:
      kind === 'timeseries'
        ? { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi' } }
        : {},
    targets: queries.map(({ expr, legend }, index) => ({
      refId: String.fromCharCode('A'.charCodeAt(0) + index),
      datasource,
      expr,
      legendFormat: legend,
      editorMode: 'code',
      range: true,
    })),
  };
}
