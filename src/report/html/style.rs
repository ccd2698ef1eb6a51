//! How the page looks: one sheet, colours by role, for light, dark and paper.

/// Colours are Okabe and Ito's, which those can tell apart as well who see fewer; each has enough contrast on its ground.
pub(super) const STYLE: &str = "\
:root{--bg:#fff;--fg:#1f2328;--soft:#59636e;--line:#d1d9e0;--card:#f6f8fa;--offered:#6e7781;--sent:#0969da;--throttled:#bc5b00;\
--dropped:#8250df;--failed:#cf222e;--unknown:#7a6400;--good:#1a7f37;--p50:#0969da;--p90:#1b7c83;--p99:#bc5b00;--most:#cf222e}\
@media(prefers-color-scheme:dark){:root{--bg:#0d1117;--fg:#e6edf3;--soft:#9198a1;--line:#3d444d;--card:#151b23;--offered:#9198a1;\
--sent:#58a6ff;--throttled:#f0883e;--dropped:#bc8cff;--failed:#ff7b72;--unknown:#d4b72c;--good:#3fb950;--p50:#58a6ff;--p90:#39c5cf;\
--p99:#f0883e;--most:#ff7b72}}\
@media print{:root{--bg:#fff;--fg:#000;--soft:#444;--line:#bbb;--card:#fff}section,figure,tr{break-inside:avoid}details{display:none}}\
*{box-sizing:border-box}html{-webkit-text-size-adjust:100%}\
body{margin:0;background:var(--bg);color:var(--fg);font:16px/1.5 system-ui,-apple-system,'Segoe UI',sans-serif}\
main{max-width:1040px;margin:0 auto;padding:1.25rem 1rem}\
h1{font-size:1.6rem;line-height:1.25;margin:0 0 .25rem;overflow-wrap:anywhere}h2{font-size:1.2rem;margin:2.2rem 0 .6rem;padding-bottom:.25rem;border-bottom:1px solid var(--line)}\
h3{font-size:1rem;margin:0 0 .2rem}p{margin:.3rem 0}.soft,figcaption,footer{color:var(--soft)}footer{max-width:1040px;margin:0 auto;padding:1rem;font-size:.85rem}\
.badges{display:flex;flex-wrap:wrap;gap:.4rem;margin:.6rem 0}.badge{border:1px solid currentColor;border-radius:2em;padding:.05rem .7rem;font-size:.9rem;font-weight:600}\
.good{color:var(--good)}.bad{color:var(--failed)}.warn{color:var(--throttled)}\
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(8rem,1fr));gap:.6rem;margin:1rem 0 0;padding:0}\
.cards div{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:.55rem .75rem}\
.cards dt{font-size:.85rem;color:var(--soft)}.cards dd{margin:0;font-size:1.3rem;font-weight:600;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}\
.scroll{overflow-x:auto;max-width:100%}table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums;margin:.3rem 0}\
th,td{padding:.28rem .6rem;text-align:right;border-bottom:1px solid var(--line);vertical-align:top}th{font-weight:600}\
th:first-child,td:first-child,.left{text-align:left}thead th{color:var(--soft);font-size:.85rem;white-space:nowrap}td{white-space:nowrap}.wrap,.wrap td{white-space:normal;overflow-wrap:break-word}td.wrap{min-width:13rem}\
.d1>:first-child{padding-left:1.6rem}.d2>:first-child{padding-left:2.9rem}.d3>:first-child{padding-left:4.2rem}.d2,.d3{color:var(--soft)}.sum{font-weight:600}\
ul{padding-left:1.2rem;margin:.3rem 0}li{margin:.3rem 0}figure{margin:1.2rem 0}svg{display:block;width:100%;height:auto}\
.legend{display:flex;flex-wrap:wrap;gap:.1rem .9rem;font-size:.9rem;margin:0 0 .2rem;padding:0;list-style:none}.legend li{margin:0}\
.legend li::before{content:'';display:inline-block;width:1.1em;height:.22em;margin-right:.4em;vertical-align:.28em;background:currentColor}.legend span{color:var(--fg)}\
svg text{font:13px system-ui,sans-serif;fill:var(--soft)}.grid{stroke:var(--line)}.mark{stroke:var(--soft);stroke-dasharray:3 4}\
.line{fill:none;stroke:currentColor;stroke-width:2;stroke-linejoin:round;vector-effect:non-scaling-stroke}.hit{fill:transparent}.hit:hover{fill:var(--fg);fill-opacity:.08}\
.offered{color:var(--offered);stroke-dasharray:6 4}.sent{color:var(--sent)}.throttled{color:var(--throttled)}.dropped{color:var(--dropped)}.failed{color:var(--failed)}\
.unknown{color:var(--unknown)}.p50{color:var(--p50)}.p90{color:var(--p90)}.p99{color:var(--p99)}.most{color:var(--most);stroke-dasharray:2 4}\
.cell{fill:currentColor}.ground{fill:var(--card)}details{margin:.2rem 0;font-size:.9rem}summary{cursor:pointer;color:var(--soft)}details .scroll{max-height:24rem;overflow:auto}\
@media(max-width:40rem){main{padding:.8rem .7rem}figure{overflow-x:auto}figure svg{min-width:36rem}th,td{padding:.25rem .35rem}.cards dd{font-size:1.1rem}}";
