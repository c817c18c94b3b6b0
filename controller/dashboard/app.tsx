/** The frame of every page: where one is, whether what is shown is live, who one is. */
import type { ComponentType } from 'preact';
import { useEffect } from 'preact/hooks';
import { loadSession, postJson, session } from './api.ts';
import { duration } from './format.ts';
import { connection, heardAtMs, nowMs, waitingCount } from './live.ts';
import { ChangesPage } from './pages/changes-page.tsx';
import { EventsPage } from './pages/events-page.tsx';
import { MeshPage } from './pages/mesh-page.tsx';
import { NowPage } from './pages/now-page.tsx';
import { ProxiesPage } from './pages/proxies-page.tsx';
import { ProxyPage } from './pages/proxy-page.tsx';
import { RolloutPage } from './pages/rollout-page.tsx';
import { RolloutsPage } from './pages/rollouts-page.tsx';
import { SignInPage } from './pages/sign-in-page.tsx';
import { Empty } from './parts/basics.tsx';
import { followLinks, pathParts } from './router.ts';
import { isDark, toggleTheme } from './theme.ts';

const pages = [
  { name: 'Now', path: '/', part: undefined },
  { name: 'Mesh', path: '/mesh', part: 'mesh' },
  { name: 'Rollouts', path: '/rollouts', part: 'rollouts' },
  { name: 'Changes', path: '/changes', part: 'changes' },
  { name: 'Proxies', path: '/proxies', part: 'proxies' },
  { name: 'Events', path: '/events', part: 'events' },
] as const;

/** A page that whoever builds on the dashboard adds to it. */
export interface ExtraPage {
  readonly name: string;
  readonly path: string;
  /** The first part of its path. */
  readonly part: string;
  readonly View: ComponentType;
}

/** `extra` comes first among the pages. */
export function App({ extra }: { extra?: ExtraPage }) {
  const known = session.value;
  const waiting = waitingCount.value;
  const [part] = pathParts.value;
  const listed = extra === undefined ? pages : [extra, ...pages];
  const page = listed.find((one) => one.part === part)?.name ?? 'Headgate';
  useEffect(() => {
    document.title = `${waiting > 0 ? `(${waiting}) ` : ''}${page} · Headgate`;
  }, [waiting, page]);
  useEffect(() => {
    document.addEventListener('click', followLinks);
    return () => document.removeEventListener('click', followLinks);
  }, []);
  if (known === undefined) {
    return <Empty>Waiting for the controller…</Empty>;
  }
  if (known.role === undefined) {
    return (
      <main class="page">
        <SignInPage />
      </main>
    );
  }
  return (
    <>
      <a class="skip" href="#content">
        To the content
      </a>
      <header class="top">
        <a class="brand" href="/" aria-label="Headgate, now">
          <Logo />
          Headgate
        </a>
        <nav aria-label="Pages">
          {listed.map(({ name, path, part: own }) => (
            <a key={name} href={path} aria-current={own === part ? 'page' : undefined}>
              {name}
              {name === 'Now' && waiting > 0 && (
                <span class="count" title={`${waiting} waiting for you`}>
                  {waiting}
                </span>
              )}
            </a>
          ))}
        </nav>
        <div class="top-right">
          <Liveness />
          <button
            type="button"
            class="quiet icon"
            onClick={toggleTheme}
            aria-label={isDark() ? 'Light colours' : 'Dark colours'}
          >
            <span aria-hidden="true">{isDark() ? '☀' : '☾'}</span>
          </button>
          <Who />
        </div>
      </header>
      <StaleBanner />
      <main class="page" id="content" tabIndex={-1}>
        {extra !== undefined && extra.part === part ? <extra.View /> : <View />}
      </main>
    </>
  );
}

function View() {
  const [part, first, second, ...rest] = pathParts.value;
  switch (part) {
    case undefined:
      return <NowPage />;
    case 'mesh':
      return (
        <MeshPage mesh={first} kind={second} name={rest.length > 0 ? rest.join('/') : undefined} />
      );
    case 'rollouts':
      return first === undefined ? <RolloutsPage /> : <RolloutPage id={first} />;
    case 'changes':
      return <ChangesPage id={first} />;
    case 'proxies':
      return first === undefined ? <ProxiesPage /> : <ProxyPage id={first} />;
    case 'events':
      return <EventsPage entry={first} />;
    default:
      return <Empty>There is no such page.</Empty>;
  }
}

function Liveness() {
  const isLive = connection.value === 'live';
  return (
    <span class={`liveness ${connection.value}`}>
      <span class="pulse" aria-hidden="true" />
      {isLive ? 'live' : connection.value === 'stale' ? 'stale' : 'connecting'}
    </span>
  );
}

function StaleBanner() {
  return (
    <div role="status">
      {connection.value === 'stale' && (
        <p class="stale-banner">
          The controller does not answer. What you see is {duration(nowMs.value - heardAtMs.value)}{' '}
          old; proxies keep what they were served. Trying again…
        </p>
      )}
    </div>
  );
}

function Who() {
  const { name, role, methods, csrf } = session.value ?? { methods: [] };
  const signOut = async () => {
    await postJson('/api/v1/session/end', {});
    await loadSession();
  };
  return (
    <span class="who small">
      <span class="muted">{methods.length === 0 ? role : `${name}, ${role}`}</span>
      {csrf !== undefined && (
        <button type="button" class="quiet" onClick={signOut}>
          Sign out
        </button>
      )}
    </span>
  );
}

function Logo() {
  return (
    <svg viewBox="0 0 32 32" width="22" height="22" aria-hidden="true">
      <rect width="32" height="32" rx="7" class="logo-ground" />
      <path d="M8 7v18M24 7v18M8 12h16M8 20h9" class="logo-lines" />
    </svg>
  );
}
