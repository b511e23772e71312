/** A page that fails leaves the frame standing, and says so. Another page, or this one loaded anew, goes on. */
import { Component, type ReactNode } from 'react';

interface Props {
  readonly children: ReactNode;
}

export class Boundary extends Component<Props, { readonly error: Error | null }> {
  override readonly state: { readonly error: Error | null } = { error: null };

  static getDerivedStateFromError(error: Error) {
    return { error };
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (!error) return this.props.children;
    return (
      <main className="page">
        <section className="empty" role="alert">
          <p>This page cannot be shown: {error.message}. What you said so far is kept.</p>
          <button type="button" onClick={() => window.location.reload()}>
            Load it again
          </button>
        </section>
      </main>
    );
  }
}
