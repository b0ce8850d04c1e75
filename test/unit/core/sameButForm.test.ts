import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sameButForm } from '../../../src/core/formatting/sameButForm.ts';

const TEXT = `# Pets
openapi: "3.1.0" # newest
paths:
  /pets: { get: { tags: [a, b], description: "All # of them" } }
text: |
  # no comment
`;
const OTHER_FORM = `# Pets
openapi: '3.1.0'    # newest

paths:
    /pets:
        get:
            tags:
                - a
                - b
            description: 'All # of them'
text: "# no comment\\n"
`;

test('quotes, indents, blank lines and styles are form', () => {
  assert.equal(sameButForm(TEXT, OTHER_FORM, 'yaml'), true);
  assert.equal(sameButForm('{"a":[1,2]}', '{\n  "a": [1, 2]\n}\n', 'json'), true);
});

test('values, their types, order, comments, anchors and what cannot be read are more than form', () => {
  const different = [
    TEXT.replace('[a, b]', '[b, a]'),
    TEXT.replace('"3.1.0"', '3.1'),
    TEXT.replace('# newest', '# oldest'),
    TEXT.replace(' # newest', ''),
    TEXT.replace('"All # of them"', 'All'),
    TEXT.replace('# no comment', '# a comment'),
    TEXT.replace('get: {', 'get: &get {'),
    `${TEXT}more: 1\n`,
    TEXT.replace('paths:', 'paths: ['),
    'paths: {}\nopenapi: 3.1.0\n',
  ];
  for (const text of different) assert.equal(sameButForm(TEXT, text, 'yaml'), false, text);
  assert.equal(sameButForm('a: 1\nb: 2\n', 'b: 2\na: 1\n', 'yaml'), false);
  assert.equal(sameButForm('{"a": 1.0}', '{"a": 1}', 'json'), false);
  assert.equal(sameButForm('{"a": 1 /* x */}', '{"a": 1 /* y */}', 'jsonc'), false);
});
