import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { conflictPanelHtml } from '../../../src/extension/conflictPanelHtml.ts';

describe("the conflict panel's page", () => {
  const html = conflictPanelHtml({
    cspSource: 'https://webview.test',
    nonce: 'abc"><script>',
    script: 'https://webview.test/a.js?x=1&y=2',
    stylesheet: 'https://webview.test/a.css',
    codicons: 'https://webview.test/codicon.css',
  });

  it('allows its own script, stylesheets and font, and nothing else', () => {
    const policy = /Content-Security-Policy" content="([^"]+)"/.exec(html)?.[1] ?? '';
    const rules = policy.split('; ').map((rule) => rule.split(' ')[0]);
    assert.deepEqual(rules, ['default-src', 'style-src', 'font-src', 'script-src']);
    assert.match(policy, /^default-src 'none'/);
    assert.doesNotMatch(policy, /unsafe|\*/);
  });

  it('has no inline style or script, and lets nothing break out of an attribute', () => {
    assert.doesNotMatch(html, /style=|<style|onclick=/i);
    assert.equal(html.match(/<script/g)?.length, 1);
    assert.match(html, /x=1&amp;y=2/);
  });
});
