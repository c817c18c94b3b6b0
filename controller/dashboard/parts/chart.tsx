/** Curves over time, drawn by uPlot in the page's own colours. What they show is said in words beside them. */
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { palette, theme } from '../theme.ts';

export interface Curve {
  readonly name: string;
  /** A custom property of the style sheet: `--good`. */
  readonly color: string;
  readonly isDashed?: boolean;
  readonly isStepped?: boolean;
  readonly values: readonly (number | null)[];
}

export interface ChartProps {
  readonly label: string;
  /** Seconds since 1970, rising. */
  readonly times: readonly number[];
  readonly curves: readonly Curve[];
  readonly heightPx: number;
  /** Lowest and highest value that must be seen. */
  readonly within: readonly [number, number];
}

export function Chart({ label, times, curves, heightPx, within }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const data = [times, ...curves.map(({ values }) => values)] as uPlot.AlignedData;
  const shape = curves.map(({ name, color }) => `${name} ${color}`).join('\n');
  const colours = `${theme.value} ${palette.value}`;
  const limits = useRef(within);
  limits.current = within;
  useEffect(() => {
    const element = place.current;
    if (element === null) {
      return;
    }
    const options = optionsFor(curves, element.clientWidth, heightPx, () => limits.current);
    const made = new uPlot(options, data, element);
    plot.current = made;
    const observer = new ResizeObserver(() => {
      made.setSize({ width: element.clientWidth, height: heightPx });
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
    };
  }, [shape, colours, heightPx]);
  useEffect(() => {
    plot.current?.setData(data);
  });
  return <div ref={place} class="chart" role="img" aria-label={label} />;
}

function optionsFor(
  curves: readonly Curve[],
  width: number,
  height: number,
  limits: () => readonly [number, number],
): uPlot.Options {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const axis = {
    stroke: colour('--muted'),
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { show: false },
    font: '11px system-ui, sans-serif',
  };
  return {
    width,
    height,
    legend: { show: false },
    cursor: { show: false },
    padding: [8, 8, 0, 0],
    scales: {
      y: {
        range: (_plot, min, max) => {
          const [low, high] = limits();
          const from = Math.min(low, min ?? low);
          const to = Math.max(high, max ?? high);
          const room = (to - from) * 0.08 || 1;
          return [from - room, to + room];
        },
      },
    },
    axes: [
      {
        ...{ ...axis, size: 24, space: 70, incrs: tickSeconds },
        values: (_plot, times) => times.map(timeOfDay),
      },
      { ...axis, size: 44, space: 24 },
    ],
    series: [
      {},
      ...curves.map(({ name, color, isDashed, isStepped }) => ({
        label: name,
        stroke: colour(color),
        width: isDashed ? 1.5 : 2,
        dash: isDashed ? [6, 4] : undefined,
        points: { show: false },
        spanGaps: false,
        paths: isStepped ? uPlot.paths.stepped?.({ align: 1 }) : undefined,
      })),
    ],
  };
}

/** Between two ticks of the time: whole seconds, since a tick says no less. */
const tickSeconds = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200];

function timeOfDay(seconds: number): string {
  return new Date(seconds * 1000).toLocaleTimeString([], { hour12: false });
}
