/** Where the reader is: the page's path, kept in the address bar so that every view has a permalink. */
import { computed, signal } from '@preact/signals';

const here = signal(location.pathname + location.search);

addEventListener('popstate', () => {
  here.value = location.pathname + location.search;
});

/** Decoded parts of the path: `/rollouts/checkout-1` is `['rollouts', 'checkout-1']`. */
export const pathParts = computed(() =>
  new URL(here.value, location.origin).pathname
    .split('/')
    .filter((part) => part !== '')
    .map(decode),
);

export const query = computed(() => new URL(here.value, location.origin).searchParams);

export function navigate(path: string): void {
  if (path !== here.value) {
    history.pushState(null, '', path);
    here.value = path;
    scrollTo(0, 0);
  }
}

/** Changes the query of the present view without a new entry in the browser's history. */
export function setQuery(name: string, value: string): void {
  const url = new URL(here.value, location.origin);
  if (value === '') {
    url.searchParams.delete(name);
  } else {
    url.searchParams.set(name, value);
  }
  here.value = url.pathname + url.search;
  history.replaceState(null, '', here.value);
}

/** Follows plain clicks on links of this page without loading it anew. */
export function followLinks(event: MouseEvent): void {
  const link = (event.target as Element).closest?.('a');
  const isPlain =
    event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  const href = link?.getAttribute('href');
  const isOurs = href?.startsWith('/') === true && !href.startsWith('/api/');
  if (isPlain && isOurs && !link?.hasAttribute('download') && !event.defaultPrevented) {
    event.preventDefault();
    navigate(href);
  }
}

export function pathOf(...parts: readonly string[]): string {
  return `/${parts.map(encodeURIComponent).join('/')}`;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
