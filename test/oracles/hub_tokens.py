"""Writes test/fixtures/hub/tokens.json: 1,000 texts in 20 scripts, and what the tokenizers of test/fixtures/hub make of each.

    ENV/bin/python test/oracles/hub_tokens.py

Of each text the first 8 digits of the SHA-256 of its ids, joined by blanks. Made with tokenizers 0.23.
"""
import hashlib, json, os, random
from tokenizers import Tokenizer

OUT = os.path.join(os.path.dirname(__file__), '..', 'fixtures', 'hub')
SCRIPTS = {'latin': (0x61, 0x7a), 'latin-1': (0xc0, 0xff), 'latin-extended': (0x100, 0x17f), 'greek': (0x391, 0x3c9),
           'cyrillic': (0x410, 0x44f), 'armenian': (0x531, 0x556), 'hebrew': (0x5d0, 0x5ea), 'arabic': (0x620, 0x64a),
           'devanagari': (0x904, 0x939), 'bengali': (0x985, 0x9b9), 'tamil': (0xb85, 0xbb9), 'telugu': (0xc05, 0xc39),
           'thai': (0xe01, 0xe3a), 'georgian': (0x10d0, 0x10f0), 'hangul': (0xac00, 0xd7a3), 'hiragana': (0x3041, 0x3096),
           'katakana': (0x30a1, 0x30fa), 'han': (0x4e00, 0x9fa5), 'ethiopic': (0x1200, 0x1248), 'emoji': (0x1f600, 0x1f64f)}
MARKS = [' ', ' ', ' ', '-', "'s", '!', '...', ' 42', '\t', '  ', '\n', '(', '"', '’', ',', '/', '_', '#7', '\u0301', "'LL"]
random.seed(5)
texts = []
for low, high in SCRIPTS.values():
    for _ in range(50):
        words = []
        for _ in range(random.randint(1, 5)):
            words.append(''.join(chr(random.randint(low, high)) for _ in range(random.randint(1, 7))))
            words.append(random.choice(MARKS))
        text = ''.join(words)
        texts.append(random.choice([text, text.upper(), text.strip(), 'a photo of ' + text]))
out = {'texts': texts}
for name in ['clip', 'siglip2']:
    tokenizer = Tokenizer.from_file(os.path.join(OUT, name, 'tokenizer.json'))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    out[name] = [hashlib.sha256(' '.join(map(str, tokenizer.encode(t).ids)).encode()).hexdigest()[:8] for t in texts]
with open(os.path.join(OUT, 'tokens.json'), 'w') as f:
    json.dump(out, f, ensure_ascii=True)
