/** Addresses of what the panel's page loads, as the webview may load it. */
export interface PanelAssets {
  readonly cspSource: string;
  readonly nonce: string;
  readonly script: string;
  readonly stylesheet: string;
  readonly codicons: string;
}

/**
 * The panel's page: a frame that the script fills. It shows texts that other people wrote, so nothing is allowed but our own
 * script, stylesheets and font; no inline style, no image, no connection.
 */
export function conflictPanelHtml(assets: PanelAssets): string {
  const policy = [
    "default-src 'none'",
    `style-src ${assets.cspSource}`,
    `font-src ${assets.cspSource}`,
    `script-src 'nonce-${assets.nonce}'`,
  ].join('; ');
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${escape(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>API Conflicts</title>
<link rel="stylesheet" id="vscode-codicon-stylesheet" href="${escape(assets.codicons)}">
<link rel="stylesheet" href="${escape(assets.stylesheet)}">
</head>
<body>
<div id="app"></div>
<script nonce="${escape(assets.nonce)}" src="${escape(assets.script)}"></script>
</body>
</html>
`;
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
