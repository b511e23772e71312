/** Searching by words or by a picture, and what is searched for now. */
import { useRef, useState } from 'react';
import { useSearchKinds } from '../api/queries.ts';
import type { Asked, useSearch } from './use-search.ts';

/** Camera raw files are no `image/*` to browsers. */
const FILES = 'image/*,.heic,.heif,.tif,.tiff,.dng,.cr2,.cr3,.nef,.arw,.orf,.rw2,.raf,.pef,.srw';

type Search = ReturnType<typeof useSearch>;

export function SearchBar({ byWords, byPicture }: Pick<Search, 'byWords' | 'byPicture'>) {
  const { pictures, words } = useSearchKinds();
  const [text, setText] = useState('');
  const file = useRef<HTMLInputElement>(null);
  if (!pictures) return null;
  return (
    <form
      className="row"
      onSubmit={(event) => {
        event.preventDefault();
        if (text.trim() !== '') byWords(text);
      }}
    >
      {words && (
        <label className="choice">
          <span>Words</span>
          <input
            type="search"
            placeholder="a red car at night"
            value={text}
            maxLength={200}
            size={28}
            onChange={(event) => setText(event.target.value)}
          />
        </label>
      )}
      <input
        ref={file}
        className="unseen"
        type="file"
        accept={FILES}
        aria-label="A picture to search with"
        tabIndex={-1}
        onChange={({ target }) => {
          const [picture] = target.files ?? [];
          if (picture) byPicture(picture);
        }}
      />
      <button type="button" onClick={() => file.current?.click()} title="Or drag a picture into the page">
        Search with a picture…
      </button>
    </form>
  );
}

export function Sought({ asked, end }: Pick<Search, 'end'> & { readonly asked: Asked }) {
  return (
    <div className="searched">
      <AskedFor asked={asked} />
      <button type="button" onClick={end}>
        Show everything
      </button>
    </div>
  );
}

function AskedFor({ asked }: { readonly asked: Asked }) {
  switch (asked.kind) {
    case 'words':
      return (
        <span>
          What is most like <b>“{asked.words}”</b>, nearest first
        </span>
      );
    case 'image':
      return (
        <>
          <img src={`/api/images/${asked.id}/thumbnail`} alt="What is searched with" />
          <span>What looks most like this image, nearest first</span>
        </>
      );
    case 'picture':
      return (
        <>
          <img
            key={asked.url}
            src={asked.url}
            alt="What is searched with"
            // Of a kind that the server reads and the browser does not.
            onError={({ currentTarget }) => {
              currentTarget.hidden = true;
            }}
          />
          <span>
            What looks most like <b>{asked.name}</b>, nearest first
          </span>
        </>
      );
    default:
      throw new Error(`unknown search ${JSON.stringify(asked satisfies never)}`);
  }
}
