/** Light or dark: the system's choice, or the reader's own, which is kept in this browser. */
import { effect, signal } from '@preact/signals';

export type Theme = 'system' | 'light' | 'dark';

const key = 'headgate.theme';

export const theme = signal<Theme>(read());

const systemDark = matchMedia('(prefers-color-scheme: dark)');

/** Rises when colours change: what draws them by itself draws anew. */
export const palette = signal(0);

systemDark.addEventListener('change', () => {
  paint();
  palette.value += 1;
});

effect(() => {
  paint();
  localStorage.setItem(key, theme.value);
});

/** Before what draws by itself: it reads its colours from the page. */
function paint(): void {
  document.documentElement.dataset.theme = isDark() ? 'dark' : 'light';
}

export function isDark(): boolean {
  return theme.value === 'dark' || (theme.value === 'system' && systemDark.matches);
}

export function toggleTheme(): void {
  theme.value = isDark() ? 'light' : 'dark';
  palette.value += 1;
}

function read(): Theme {
  const stored = localStorage.getItem(key);
  return stored === 'light' || stored === 'dark' ? stored : 'system';
}
