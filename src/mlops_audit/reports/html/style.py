"""The page's one style element. Colours meet WCAG AA in both schemes, on all their grounds."""

from __future__ import annotations

from mlops_audit.reports.loop.svg import STYLE as LOOP_STYLE

__all__ = ["STYLE"]

_COLOURS = """
:root{color-scheme:light dark;--back:#fff;--card:#f6f7f9;--edge:#d5d9e0;--ink:#16202c;
--text:#2c3742;--quiet:#5d6873;--accent:#1c5d99;--on:#fff;--soft:#e6eff8;
--found:#1a6f3c;--partial:#855400;--missing:#b3261e;--odd:#5c4b94;
--found-g:#e5f4ea;--partial-g:#fbf0da;--missing-g:#fcebe9;--odd-g:#efecf8;--na-g:#eef0f3;
--h0:#fdf3ee;--h1:#eef4fa;--h2:#d3e5f5;--h3:#abcfec;--h4:#7fb5e0;--h-ink:#10202f}
@media screen and (prefers-color-scheme:dark){:root{--back:#12171d;--card:#1b222a;--edge:#37414c;
--ink:#f0f4f8;--text:#d3dbe3;--quiet:#9aa6b2;--accent:#7db8ec;--on:#0e1620;--soft:#1b2f42;
--found:#6ccb93;--partial:#e3b155;--missing:#ff958b;--odd:#b7a9ee;
--found-g:#16301f;--partial-g:#362a10;--missing-g:#3c1a18;--odd-g:#29233f;--na-g:#242c35;
--h0:#33211b;--h1:#1a2733;--h2:#1b3a55;--h3:#1d4d76;--h4:#206299;--h-ink:#fff}}
@media print{:root{color-scheme:light}}
@page{margin:14mm}
.lp{--lp-back:var(--back);--lp-card:var(--card);--lp-edge:var(--edge);--lp-ink:var(--ink);
--lp-text:var(--text);--lp-quiet:var(--quiet);--lp-found:var(--found);
--lp-partial:var(--partial);--lp-missing:var(--missing)}
"""

_BASE = """
*{box-sizing:border-box}
html{scroll-behavior:smooth;scroll-padding-top:1rem}
@media(prefers-reduced-motion:reduce){html{scroll-behavior:auto}}
body{margin:0;background:var(--back);color:var(--text);overflow-wrap:anywhere;
font:16px/1.55 ui-sans-serif,system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main,.top,footer{max-width:1180px;margin:0 auto;padding:0 clamp(1rem,4vw,2.5rem)}
h1,h2,h3{color:var(--ink);line-height:1.25;text-wrap:balance}
h1{font-size:1.05rem;font-weight:600;margin:0}
h2{font-size:1.5rem;letter-spacing:-.012em;margin:0 0 1rem}
h3{font-size:1rem;margin:0}
p{margin:.45rem 0}ul,ol{margin:.45rem 0;padding-left:1.25rem}
section{padding:2.25rem 0;border-top:1px solid var(--edge)}
a{color:var(--accent);text-underline-offset:.15em;text-decoration-thickness:1px}
a:hover{text-decoration-thickness:2px}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px;border-radius:4px}
code{font:.875em/1.4 ui-monospace,"SF Mono","Cascadia Mono",Menlo,Consolas,monospace}
.quiet{color:var(--quiet);font-weight:400}.lead{font-size:1.125rem;max-width:46rem}
.sr,.skip:not(:focus){position:absolute;width:1px;height:1px;overflow:hidden;
clip-path:inset(50%);white-space:nowrap}
.skip:focus{position:absolute;left:1rem;top:1rem;background:var(--back);padding:.5rem 1rem}
table{border-collapse:collapse;width:100%}caption{text-align:left;color:var(--quiet);
padding-bottom:.5rem}th,td{text-align:left;padding:.4rem .5rem;vertical-align:top}
svg{max-width:100%;height:auto;display:block}
.tag{font-size:.78rem;font-weight:500;color:var(--quiet);border:1px solid var(--edge);
border-radius:99px;padding:.05rem .5rem;white-space:nowrap}
.chip{display:inline-block;font-size:.8rem;font-weight:600;line-height:1.35;border-radius:99px;
padding:.12rem .6rem;white-space:nowrap}
.o-pass{color:var(--found);background:var(--found-g)}
.o-partial{color:var(--partial);background:var(--partial-g)}
.o-fail{color:var(--missing);background:var(--missing-g)}
.o-unknown{color:var(--odd);background:var(--odd-g)}
.o-na{color:var(--quiet);background:var(--na-g)}
"""

_TOP = """
.top{padding-top:1.5rem;padding-bottom:.5rem;display:flex;flex-wrap:wrap;gap:.25rem 1.5rem;
align-items:baseline;justify-content:space-between}
.top p{margin:0}
nav ul{list-style:none;display:flex;flex-wrap:wrap;gap:.3rem 1.1rem;padding:0;margin:0}
nav{padding:.6rem 0 0;font-size:.95rem}
.hero{padding:1.5rem 0 2.25rem}
.level{display:flex;align-items:center;gap:1.1rem;margin:0 0 .6rem}
.number{font-size:clamp(4.2rem,12vw,6.5rem);line-height:.9;font-weight:700;
letter-spacing:-.04em;color:var(--accent);font-variant-numeric:lining-nums}
.name{font-size:clamp(1.6rem,5vw,2.5rem);font-weight:650;line-height:1.1;color:var(--ink);
letter-spacing:-.02em}
.name .quiet{display:block;font-size:1rem;letter-spacing:0;margin-bottom:.2rem}
.hero .facts{display:flex;flex-wrap:wrap;gap:.6rem 2.25rem;margin:1.1rem 0 0}
.facts div{min-width:6rem}.facts dt{color:var(--quiet);font-size:.925rem}
.facts dd{margin:0;font-size:1.35rem;font-weight:650;color:var(--ink);
font-variant-numeric:tabular-nums;line-height:1.3}
@media(min-width:900px){.hero{display:grid;grid-template-columns:1fr auto;gap:0 3rem;
align-items:end}.hero .facts{flex-direction:column;gap:.7rem;text-align:right;margin:0}}
.stairs{list-style:none;padding:0;margin:0;display:grid;gap:.6rem}
.tread{border:1px solid var(--edge);border-top:4px solid var(--edge);border-radius:8px;
padding:.8rem .9rem;background:var(--back);height:100%}
.tread p{margin:.25rem 0;font-size:.925rem}.tread .n{display:block;color:var(--quiet);
font-size:.85rem;font-weight:400;margin-bottom:.1rem}
.stair.reached .tread{border-top-color:var(--accent);background:var(--soft)}
.stair.reached .quiet,.stair.reached .n{color:var(--text)}.tread .tag{margin-left:.3rem}
.stair.next .tread{border-top-style:dashed;border-top-color:var(--accent)}
.squares{margin:.55rem 0 .35rem}.sq-on{fill:var(--accent)}
.sq-off{fill:none;stroke:var(--quiet);stroke-width:1}
@media(min-width:900px){.stairs{grid-template-columns:none;grid-auto-flow:column;
grid-auto-columns:minmax(0,1fr)}
.down-1{margin-top:1.6rem}.down-2{margin-top:3.2rem}.down-3{margin-top:4.8rem}
.down-4{margin-top:6.4rem}}
"""

_BODY = """
.two{display:grid;gap:1.5rem 2.5rem;align-items:center}
.two>*{min-width:0}
@media(min-width:900px){.two{grid-template-columns:minmax(0,5fr) minmax(0,6fr)}}
figure{margin:0}.radar svg{overflow:visible;width:100%;max-width:30rem;margin:0 auto}
.ring{fill:none;stroke:var(--edge)}
.area{fill:var(--accent);fill-opacity:.2;stroke:var(--accent);stroke-width:2;
stroke-linejoin:round}.dot{fill:var(--accent)}
.axis{font-size:14px;fill:var(--text)}.value{font-weight:650;fill:var(--ink)}
.heat{font-size:.9rem;border-collapse:separate;border-spacing:3px;table-layout:fixed}
.heat th:first-child{width:32%}.heat td,.heat thead th{text-align:center}
.heat thead th:first-child{text-align:left}
.heat th{font-weight:500}.heat thead th{color:var(--quiet);padding:.2rem 0;
overflow-wrap:normal;font-size:.8rem}
.heat td{border-radius:5px;color:var(--h-ink);font-variant-numeric:tabular-nums;
padding:.4rem .1rem;vertical-align:middle}
.heat tbody th,.heat tfoot th{padding-left:0;vertical-align:middle}
.heat tfoot th,.heat tfoot td{font-weight:650}
.h-0{background:var(--h0)}.h-1{background:var(--h1)}.h-2{background:var(--h2)}
.h-3{background:var(--h3)}.h-4{background:var(--h4)}
.wide-loop{display:none}
.narrow-loop{list-style:none;padding:0;max-width:34rem}
.station{border:1px solid var(--edge);border-radius:8px;padding:.7rem .9rem;background:var(--card)}
.station ul{list-style:none;padding:0;margin:.3rem 0 0;font-size:.9rem}
.station p{margin:.2rem 0 0}
.arrow{margin:0 0 0 1.4rem;padding:.55rem 0 .55rem 1.1rem;border-left:2px solid;font-size:.925rem;
border-color:var(--quiet)}
.arrow .mark{font-weight:700}
.a-found{border-color:var(--found)}.a-found .mark{color:var(--found)}
.a-partial{border-left-style:dashed;border-color:var(--partial)}
.a-partial .mark{color:var(--partial)}
.a-missing{border-left-style:dotted;border-color:var(--missing)}
.a-missing .mark{color:var(--missing)}
.a-na{border-left-style:dotted}
@media(min-width:900px){.wide-loop{display:block}.narrow-loop,.narrow-lead{display:none}}
.gaps{list-style:none;padding:0;display:grid;gap:.9rem;margin-top:.75rem}
.gaps p{margin:.2rem 0}#loop h3{margin-top:1.5rem}.station h3{margin-top:0!important}
.todo{list-style:none;padding:0;counter-reset:todo;display:grid;gap:.75rem}
.todo>li{border:1px solid var(--edge);border-radius:10px;padding:.9rem 1.1rem .9rem 3rem;
position:relative}
.todo>li::before{content:"";position:absolute;left:1.1rem;top:1.15rem;width:1rem;height:1rem;
border:2px solid var(--quiet);border-radius:4px}
.todo h3,.group h3{font-weight:600}
.step{background:var(--soft);color:var(--ink);border-radius:8px;padding:.55rem .8rem}
.step strong{color:var(--ink);margin-right:.35rem}
.where{font-size:.925rem}
.show{border:0;padding:0;margin:0 0 1rem;display:flex;flex-wrap:wrap;gap:.4rem;align-items:center}
.show legend{float:left;padding:0;margin-right:.6rem;color:var(--quiet)}
.show input{position:absolute;opacity:0;width:1px;height:1px}
.show label{border:1px solid var(--edge);border-radius:99px;padding:.2rem .85rem;cursor:pointer;
font-size:.925rem}
.show input:checked+label{background:var(--accent);border-color:var(--accent);color:var(--on)}
.show input:focus-visible+label{outline:3px solid var(--accent);outline-offset:2px}
body:has(#show-open:checked) :is(.is-pass,.is-na),
body:has(#show-met:checked) .practice:not(.is-pass){display:none}
.group{margin:1.75rem 0}.group>p{margin:.1rem 0 .5rem}
.practice{border-top:1px solid var(--edge)}
.practice:last-child{border-bottom:1px solid var(--edge)}
summary{cursor:pointer}
.practice>summary{display:grid;grid-template-columns:1.1rem 3.6rem 1fr auto;gap:.2rem .5rem;
align-items:baseline;padding:.55rem .25rem;list-style:none}
.practice>summary::-webkit-details-marker{display:none}
.practice>summary::before{content:"\\203a";color:var(--quiet);font-weight:700;
transition:transform .12s}
.practice[open]>summary::before{transform:rotate(90deg)}
.practice>summary:hover .t{text-decoration:underline}
.id{font-variant-numeric:tabular-nums;color:var(--quiet);font-size:.925rem}
.practice:target>summary{background:var(--soft)}
.inside{padding:0 .25rem 1rem 1.85rem;max-width:56rem}
.places{font-size:.925rem;list-style:none;padding:0;display:grid;gap:.35rem}
.via{list-style:none;padding:.2rem 0 .2rem .8rem;margin:.15rem 0 0 .3rem;
border-left:2px solid var(--edge);color:var(--quiet)}
.via .said{color:var(--quiet)}
@media(max-width:600px){.heat{font-size:.85rem}.heat thead th{font-size:.72rem}
.heat th:first-child{width:36%;overflow-wrap:normal}
.practice>summary{grid-template-columns:1rem 3.4rem 1fr}
.practice>summary .chip{grid-column:3;justify-self:start}.inside{padding-left:1.5rem}
.todo>li{padding:.8rem .9rem}.todo>li::before{display:none}}
.cards{display:grid;gap:1rem;grid-template-columns:repeat(auto-fill,minmax(min(100%,17rem),1fr))}
.card{border:1px solid var(--edge);border-radius:10px;padding:1rem 1.1rem}
.card h3{font-weight:500;color:var(--quiet);font-size:.925rem}
.result{font-size:1.15rem;font-weight:650;color:var(--ink);margin:.35rem 0 .5rem;line-height:1.3}
.plain{font-size:.9rem}.plain th{font-weight:400}.plain td{text-align:right;white-space:nowrap}
.plain tr{border-top:1px solid var(--edge)}
.history{width:100%;margin-bottom:1rem;max-width:30rem}.past{max-width:35rem}
.past thead th{color:var(--quiet)}.past th:not(:first-child){text-align:right}
.line{fill:none;stroke:var(--accent);stroke-width:2}
.changes{list-style:none;padding:0;display:grid;gap:.35rem;margin-bottom:1rem}
footer{padding-top:1.5rem;padding-bottom:3rem;color:var(--quiet);font-size:.925rem;
border-top:1px solid var(--edge)}
"""

_PRINT = """
@media print{html{font-size:12.4px}body{font-size:1rem;line-height:1.45}
nav,.show,.skip{display:none}
main,.top,footer{max-width:none;padding:0}
.hero{padding:.5rem 0 1rem}.number{font-size:4rem}
section{padding:1rem 0}h2{font-size:1.3rem;margin-bottom:.6rem}
h2,h3,.group>p,summary{break-after:avoid}
.todo>li,.card,.tread,.practice,.gaps>li,.two>*,.wide-loop,tr{break-inside:avoid}
.hero .facts{flex-direction:row;text-align:left;margin-top:.6rem}.hero{display:block}
.stairs{display:grid;grid-auto-flow:row;grid-template-columns:1fr;gap:.4rem}.stair{margin-top:0}
.tread{padding:.45rem .8rem}.tread p{margin:.1rem 0}.squares{margin:.3rem 0 .2rem}
.two{grid-template-columns:minmax(0,5fr) minmax(0,6fr);gap:1rem}
.heat td,.heat thead th{padding:.25rem .1rem}.heat tbody th{padding:.2rem 0}
:is(.is-fail,.is-partial,.is-unknown,.card>details,#files details)::details-content{
content-visibility:visible;block-size:auto}
.practice>summary::before{content:none}.practice>summary{grid-template-columns:3.6rem 1fr auto;
padding:.3rem 0}.inside{padding:0 0 .6rem 4.1rem}
.wide-loop{display:block}.narrow-loop,.narrow-lead{display:none}
*{print-color-adjust:exact}}
"""

STYLE = f"{_COLOURS}{_BASE}{_TOP}{_BODY}{LOOP_STYLE}{_PRINT}"
