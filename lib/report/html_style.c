#include "lib/report/html_parts.h"

#include "lib/report/markup.h"

/* A string literal may have 4,095 characters (C11, 5.2.4.1): a line each. */
/* clang-format off */
static const char *const lines[] = {
	":root{color-scheme:light dark;--bg:#f6f7f9;--card:#fff;--ink:#1b2330;--soft:#566174;--line:#dde2ea;",
	"--bar:#3b6fb6;--over:#b42318;--target:#b42318;--hit:#3b6fb61f;--good:#2c9462;--bad:#c23a2b;",
	"--looked:#9fb3cf;--none:#e6e9ee}",
	"@media (prefers-color-scheme:dark){:root{--bg:#11151c;--card:#1a202a;--ink:#e8ecf2;--soft:#a3aebf;",
	"--line:#303947;--bar:#6c9fe6;--over:#f2776a;--target:#f2887c;--hit:#6c9fe633;--good:#3fae79;",
	"--bad:#d9513f;--looked:#52658a;--none:#28303c}}",
	"*{box-sizing:border-box}",
	"body{margin:0;background:var(--bg);color:var(--ink);",
	"font:16px/1.5 system-ui,-apple-system,\"Segoe UI\",Roboto,\"Liberation Sans\",sans-serif;",
	"overflow-wrap:anywhere}",
	".page{max-width:1180px;margin:0 auto;padding:0 16px}",
	"header{border-top:6px solid;background:var(--card);border-bottom:1px solid var(--line);",
	"padding:20px 0 16px}",
	"header.ok{border-top-color:#18794e}",
	"header.warning{border-top-color:#8a5300}",
	"header.critical{border-top-color:#b42318}",
	"header.unknown{border-top-color:#6941a5}",
	"header p{margin:0;color:var(--soft)}",
	"h1{font-size:clamp(1.2rem,.95rem + 1.1vw,1.7rem);line-height:1.3;margin:.5rem 0 .35rem;",
	"text-wrap:pretty}",
	"h2{font-size:1.15rem;margin:2rem 0 .6rem}",
	"h3{font-size:1rem;margin:0}",
	".label{font-weight:600;color:var(--ink);margin-left:.4rem}",
	".badge{display:inline-block;border-radius:4px;padding:.1rem .5rem;font-size:.75rem;font-weight:700;",
	"letter-spacing:.03em;color:#fff;white-space:nowrap}",
	".badge.ok{background:#18794e}",
	".badge.warning{background:#8a5300}",
	".badge.critical{background:#b42318}",
	".badge.unknown{background:#6941a5}",
	".tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,10.5rem),1fr));gap:12px;",
	"margin:20px 0 0}",
	".tile,figure,.check,.card{background:var(--card);border:1px solid var(--line);",
	"border-radius:8px}",
	".tile{padding:12px 16px}",
	".tile dt{color:var(--soft);font-size:.875rem}",
	".tile dd{margin:0;display:flex;flex-direction:column}",
	".tile b{font-size:1.5rem;line-height:1.3}",
	".tile.over b{color:var(--over)}",
	".tile span{color:var(--soft);font-size:.875rem}",
	".changes{list-style:none;margin:0;padding:0}",
	".card{padding:12px 16px}.card p{margin:0 0 .4rem;color:var(--soft)}",
	".changes .badge{flex:0 0 6.6rem;text-align:center}",
	".changes li{display:flex;gap:.6rem;align-items:baseline;padding:.15rem 0}",
	".check{margin:0 0 6px}",
	"summary{cursor:pointer}",
	"summary:focus-visible,.scroll:focus-visible{outline:2px solid var(--bar);outline-offset:2px;",
	"border-radius:6px}",
	".check>summary{display:grid;grid-template-columns:6.6rem 15rem 1fr 1rem;gap:.2rem .8rem;",
	"align-items:baseline;padding:8px 12px;list-style:none}",
	".check>summary::-webkit-details-marker{display:none}",
	".check>summary::after{content:\"\";width:.45rem;height:.45rem;border:solid var(--soft);",
	"border-width:0 2px 2px 0;transform:rotate(45deg);justify-self:end;align-self:center;grid-row:1;",
	"grid-column:4}",
	".check[open]>summary::after{transform:rotate(225deg)}",
	".check>summary .badge{justify-self:start}",
	".name{font-weight:600}",
	".detail{padding:4px 12px 12px;border-top:1px solid var(--line)}",
	".detail dl,.facts{display:grid;grid-template-columns:max-content 1fr;gap:.15rem 1rem;margin:.5rem 0}",
	"dt{color:var(--soft)}",
	"dd{margin:0}",
	".more{color:var(--soft);margin:.3rem 0 .6rem;padding-left:12px}",
	".scroll{overflow-x:auto}",
	"table{border-collapse:collapse;font-size:.875rem;font-variant-numeric:tabular-nums;",
	"overflow-wrap:normal}",
	"th,td{text-align:left;padding:.3rem 1rem .3rem 0;border-bottom:1px solid var(--line);",
	"vertical-align:top;font-weight:400}",
	"thead th{color:var(--soft)}",
	".charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,19.5rem),1fr));gap:12px}",
	"figure{margin:0;padding:14px 16px 12px;min-width:0}",
	"figure.wide{grid-column:1/-1}",
	"figcaption p{margin:0 0 .4rem;color:var(--soft);font-size:.875rem}",
	"figure summary{color:var(--soft);font-size:.875rem;margin-top:.4rem}",
	"figure .scroll{max-height:22rem;overflow:auto;margin-top:.4rem}",
	"svg{display:block;width:100%;height:auto}",
	"figcaption p{min-height:3em}.wide figcaption p{min-height:0}",
	".calendar text{font-size:9.5px}",
	"svg text{font-size:11.5px;fill:var(--soft);font-family:inherit}",
	".grid{stroke:var(--line);stroke-width:1}",
	"line.target{stroke:var(--target);stroke-width:1.5;stroke-dasharray:5 4}",
	"text.target{fill:var(--target);font-weight:600;paint-order:stroke;stroke:var(--card);stroke-width:3px}",
	".hit{fill:transparent}",
	".bar:hover .hit{fill:var(--hit)}",
	".only{fill:var(--bar)}",
	".over .only{fill:var(--over)}",
	".rest{fill:var(--looked)}",
	".p0{fill:#0072b2;background:#0072b2}",
	".p1{fill:#56b4e9;background:#56b4e9}",
	".p2{fill:#8b8f98;background:#8b8f98}",
	".p3{fill:#cc79a7;background:#cc79a7}",
	".p4{fill:#009e73;background:#009e73}",
	".p5{fill:#e69f00;background:#e69f00}",
	".p6{fill:#d55e00;background:#d55e00}",
	".legend{list-style:none;display:flex;flex-wrap:wrap;gap:.1rem .9rem;margin:.4rem 0 0;padding:0;",
	"font-size:.8125rem;color:var(--soft)}",
	".swatch{display:inline-block;width:.7rem;height:.7rem;border-radius:2px;margin-right:.35rem}",
	".calendar{display:flex;flex-wrap:wrap;gap:6px 20px}",
	".calendar svg{flex:1 1 18rem;min-width:0;max-width:34rem}",
	".day rect{fill:var(--none)}",
	".day.verified rect{fill:var(--good)}",
	".day.failed rect{fill:var(--bad)}",
	".day.looked rect{fill:var(--looked)}",
	".day path{stroke:#fff;stroke-width:1.6;fill:none}",
	".day:hover rect{stroke:var(--ink);stroke-width:1.5}",
	".day-verified{background:var(--good)}",
	".day-failed{background:var(--bad)}",
	".day-looked{background:var(--looked)}",
	".day-none{background:var(--none)}",
	".facts dd{font-variant-numeric:tabular-nums}",
	"footer{margin:2rem 0 1.5rem;color:var(--soft);font-size:.8125rem}",
	"pre{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:10px 14px;",
	"overflow-x:auto;font:13px/1.5 ui-monospace,\"Liberation Mono\",Menlo,Consolas,monospace;",
	"overflow-wrap:normal;margin:.6rem 0}",
	"pre:focus-visible{outline:2px solid var(--bar)}",
	"header.plain{border-top-color:var(--bar)}",
	".paper h2{border-top:1px solid var(--line);padding-top:1.2rem}",
	".paper h3{margin:1.4rem 0 .3rem}",
	".paper p{max-width:50rem}",
	".note{border-left:4px solid var(--bar);padding-left:.8rem}",
	"@media (max-width:719px){.check>summary{grid-template-columns:1fr 1rem}",
	".check>summary::after{grid-column:2}.check>summary .badge{grid-column:1}",
	".name,.said{grid-column:1/-1}.detail dl,.facts{grid-template-columns:1fr;gap:0}",
	"dd{margin-bottom:.4rem}.tiles{grid-template-columns:1fr 1fr}.tile{padding:10px 12px}",
	".tile b{font-size:1.2rem}.changes .badge{flex-basis:auto}}",
	"@media print{pre{white-space:pre-wrap}:root{--bg:#fff;--card:#fff;--ink:#000;--soft:#444;--line:#bbb;color-scheme:light}",
	"body{font-size:10.5pt}*{print-color-adjust:exact;-webkit-print-color-adjust:exact}",
	".check::details-content{content-visibility:visible;display:block;height:auto}",
	".check,figure,.tile,tr{break-inside:avoid}h2{break-after:avoid}",
	"figure details,.check>summary::after{display:none}}",
	"@media (forced-colors:active){.badge{border:1px solid}.bar rect,.day rect,.swatch",
	"{forced-color-adjust:none}}",
};
/* clang-format on */

static void add_style(struct buf *out)
{
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		buf_addf(out, "%s\n", lines[i]);
}

void html_open(const char *title, const char *colour, struct buf *out)
{
	buf_adds(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
		      "style-src 'unsafe-inline'; img-src data:\">\n"
		      "<meta name=\"color-scheme\" content=\"light dark\">\n"
		      "<meta name=\"referrer\" content=\"no-referrer\">\n");
	buf_addf(out,
		 "<link rel=\"icon\" href=\"data:image/svg+xml,%%3Csvg "
		 "xmlns='http://www.w3.org/2000/svg' "
		 "viewBox='0 0 8 8'%%3E%%3Ccircle cx='4' cy='4' r='4' "
		 "fill='%%23%s'/%%3E%%3C/svg%%3E\">\n<title>",
		 colour);
	markup_text(out, title);
	buf_adds(out, "</title>\n<style>\n");
	add_style(out);
	buf_adds(out, "</style>\n</head>\n");
}
