/// The style sheet of a page: light and dark, narrow and wide, on paper.
enum PageStyle {
  static let text =
    PlotStyle.variables(":root") + PlotStyle.rules + """
      :root{color-scheme:light dark}
      *{box-sizing:border-box}
      body{margin:0;background:var(--background);color:var(--ink);
      font:16px/1.5 system-ui,sans-serif}
      main{max-width:1200px;margin:0 auto;padding:12px 16px 48px}
      h1{font-size:1.7em;line-height:1.2;margin:.6em 0 .3em}
      h2{font-size:1.25em;margin:2em 0 .6em;border-bottom:1px solid var(--line);padding-bottom:.2em}
      h1,h2,p,td,th,dd,summary{overflow-wrap:anywhere;unicode-bidi:plaintext}
      p{max-width:75ch;margin:.5em 0}
      a{color:var(--series-0)}
      nav ul{list-style:none;margin:1em 0;padding:0;display:flex;flex-wrap:wrap;gap:.3em 1.2em}
      .figures{display:grid;grid-template-columns:repeat(auto-fill,minmax(148px,1fr));gap:10px;margin:1em 0}
      .figures div{border:1px solid var(--line);border-radius:6px;padding:8px 12px}
      .figures dt{color:var(--quiet);font-size:.85em}
      .figures dd{margin:0;font-size:1.2em;font-weight:600}
      .plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,440px),1fr));gap:28px 24px}
      .plots>div{max-width:588px}
      .table{overflow-x:auto;margin:.8em 0 1.6em}
      table{border-collapse:collapse;font-size:.92em}
      td,th{text-align:left;vertical-align:top;padding:4px 18px 4px 0;border-bottom:1px solid var(--line)}
      th{color:var(--quiet);font-weight:600;white-space:nowrap}
      td.number,th.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
      td:first-child{min-width:9em}
      details{margin:.6em 0;border:1px solid var(--line);border-radius:6px;padding:6px 12px}
      summary{cursor:pointer}
      pre{white-space:pre-wrap;overflow-wrap:anywhere;unicode-bidi:plaintext;margin:.6em 0;
      font:.88em/1.45 ui-monospace,monospace}
      pre.prompt{color:var(--quiet);border-left:3px solid var(--line);padding-left:10px}
      pre.printed{white-space:pre;overflow-x:auto;overflow-wrap:normal}
      .thinking{color:var(--quiet);font-style:italic}
      .note{border-left:4px solid var(--bad);padding-left:12px}
      footer{margin-top:3em;color:var(--quiet);font-size:.85em}
      @media print{body{font-size:10.5pt}main{max-width:none;padding:0}nav{display:none}
      .plots{grid-template-columns:1fr 1fr}.plots>div,.figures,tr{break-inside:avoid}
      h2{break-after:avoid}details{border:0;padding:0}}

      """
}
