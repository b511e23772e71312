/** The frame around every page: where one can go, undo and redo, what is under way. */
import { lazy, Suspense, useEffect, useState } from 'react';
import { Link, Route, Switch, useLocation } from 'wouter';
import { useJobs, useWorkspace } from '../api/queries.ts';
import { useServer } from '../api/server-state.ts';
import { useWrites } from '../api/writes.ts';
import { BrowsePage } from '../browse/browse-page.tsx';
import { ConfirmPage } from '../confirm/confirm-page.tsx';
import { CorpusPage } from '../corpus/corpus-page.tsx';
import { Help } from '../keys/help.tsx';
import { useKeys } from '../keys/keys.ts';
import { LabelPage } from '../label/label-page.tsx';
import { NamePage } from '../name/name-page.tsx';
import { RunsPage } from '../runs/runs-page.tsx';
import { StartPage } from '../start/start-page.tsx';
import { Boundary } from './boundary.tsx';
import { JobBar } from './job-bar.tsx';
import { Lost } from './lost.tsx';
import { Told } from './told.tsx';

const readMapPage = () => import('../map/map-page.tsx');
const MapPage = lazy(readMapPage);

const PAGES = [
  { path: '/', name: 'Start', key: 'Shift+S' },
  { path: '/browse', name: 'Browse', key: 'Shift+B' },
  { path: '/name', name: 'Name', key: 'Shift+N' },
  { path: '/confirm', name: 'Confirm', key: 'Shift+C' },
  { path: '/label', name: 'Label', key: 'Shift+L' },
  { path: '/corpus', name: 'Classes', key: 'Shift+K' },
  { path: '/map', name: 'Map', key: 'Shift+M' },
  { path: '/runs', name: 'Runs', key: 'Shift+R' },
] as const;

const AFTER_FIRST_PAGE_MS = 3000;

/** Pages about images; in an empty workspace there is one thing to do. */
const NEEDS_IMAGES = /^\/(?:browse|name|confirm|label|corpus|map)$/;

function NoImages() {
  return (
    <main className="page">
      <p className="empty">
        There are no images here yet. <Link href="/">Begin with a folder</Link>
      </p>
    </main>
  );
}

export function App() {
  return (
    <Told>
      <Frame />
    </Told>
  );
}

function Frame() {
  const server = useServer();
  // There before it is asked for, should the server have ended by then.
  useEffect(() => {
    const timer = setTimeout(() => void readMapPage().catch(() => undefined), AFTER_FIRST_PAGE_MS);
    return () => clearTimeout(timer);
  }, []);
  const [helping, setHelping] = useState(false);
  const [location, navigate] = useLocation();
  const { data: workspace } = useWorkspace();
  const { data: jobs = [] } = useJobs();
  const { undo, redo } = useWrites();
  useKeys({
    'Shift+?': () => setHelping(true),
    // Keyboards on which it needs no Shift.
    '?': () => setHelping(true),
    '$mod+z': () => void undo(),
    '$mod+Shift+z': () => void redo(),
    ...Object.fromEntries(PAGES.map(({ path, key }) => [key, () => navigate(path)])),
  });
  return (
    <>
      <header className="bar">
        <strong className="brand">Labelsmith</strong>
        <nav aria-label="Pages">
          {PAGES.map(({ path, name }) => (
            <Link key={path} href={path} aria-current={location === path ? 'page' : undefined}>
              {name}
            </Link>
          ))}
        </nav>
        <span className="where">{workspace && `${workspace.name} · ${workspace.images.toLocaleString()} images`}</span>
        <button type="button" onClick={() => void undo()} title="Ctrl Z">
          Undo
        </button>
        <button type="button" onClick={() => void redo()} title="Ctrl Shift Z">
          Redo
        </button>
        <button type="button" aria-label="Keys" onClick={() => setHelping(true)} title="?">
          ?
        </button>
      </header>
      <Lost state={server} />
      <JobBar job={jobs[0]} />
      <Boundary key={location}>
        <Suspense fallback={<p className="empty">…</p>}>
          <Switch>
            {workspace?.images === 0 && <Route path={NEEDS_IMAGES} component={NoImages} />}
            <Route path="/browse" component={BrowsePage} />
            <Route path="/label" component={LabelPage} />
            <Route path="/confirm" component={ConfirmPage} />
            <Route path="/name" component={NamePage} />
            <Route path="/corpus" component={CorpusPage} />
            <Route path="/map" component={MapPage} />
            <Route path="/runs" component={RunsPage} />
            <Route component={StartPage} />
          </Switch>
        </Suspense>
      </Boundary>
      {helping && <Help onClose={() => setHelping(false)} />}
    </>
  );
}
