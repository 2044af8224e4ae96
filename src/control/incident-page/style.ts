// Owns the style of the first screen, written into the page so that nothing else has to arrive before it can be read.
// Its measures are those of the pages' own sheets (web/styles/tokens.css, web/control-room/incidents): when the
// scripts take over nothing moves. Every rule stands below #first-screen, so that those sheets change none of it.
import { createHash } from 'node:crypto'

const TOKENS = `:root{color-scheme:dark;--bg:#0d1116;--surface:#141a21;--raised:#1b232c;--line:#26303b;--line-strong:#384553;--text:#edf1f5;--dim:#a3b0bd;--accent:#7fb8ff;--on-accent:#08131f;--focus:#9ccaff;--healthy:#4cc38a;--healthy-bg:#11291f;--degraded:#f2c14b;--degraded-bg:#33290f;--unreachable:#ff7a76;--unreachable-bg:#3a1819;--moving:#b6a2ff;--moving-bg:#241f3d;--resting:#9fb0c0;--resting-bg:#1e2731}
@media(prefers-color-scheme:light){:root:not([data-theme=dark]){color-scheme:light;--bg:#f3f5f7;--surface:#fff;--raised:#f3f6f9;--line:#dde3e9;--line-strong:#bcc7d1;--text:#131a21;--dim:#4a5763;--accent:#0d5fbf;--on-accent:#fff;--focus:#0d5fbf;--healthy:#137547;--healthy-bg:#e3f5ec;--degraded:#835a00;--degraded-bg:#fdf1cf;--unreachable:#b42320;--unreachable-bg:#fde7e6;--moving:#5b3fc4;--moving-bg:#ece8fd;--resting:#52616f;--resting-bg:#e9eef3}}
*,::before,::after{box-sizing:border-box}html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--bg);color:var(--text);font:400 14px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue","Noto Sans","DejaVu Sans",Arial,sans-serif;font-variant-numeric:tabular-nums}
`

/** `&` is the first screen. */
const RULES = `
& :is(h1,h2,p,ul,ol,dl,dd){margin:0;padding:0}& :is(ul,ol){list-style:none}
& a{color:var(--accent);text-underline-offset:3px}& :focus-visible{outline:2px solid var(--focus);outline-offset:2px}
& [data-tone=healthy]{--tone:var(--healthy);--tone-bg:var(--healthy-bg)}& [data-tone=degraded]{--tone:var(--degraded);--tone-bg:var(--degraded-bg)}
& [data-tone=unreachable]{--tone:var(--unreachable);--tone-bg:var(--unreachable-bg)}& [data-tone=moving]{--tone:var(--moving);--tone-bg:var(--moving-bg)}
& [data-tone=resting]{--tone:var(--resting);--tone-bg:var(--resting-bg)}
& .bar{position:sticky;top:0;z-index:10;display:flex;align-items:center;gap:24px;height:54px;padding:0 16px;background:var(--surface);border-bottom:1px solid var(--line)}
& .bar a{color:var(--dim);font-weight:550;text-decoration:none}& .bar .name{display:flex;align-items:center;gap:10px;color:var(--text);font-size:16px;font-weight:650}
& .sheet{display:grid;grid-template-columns:minmax(0,1fr);gap:12px;max-width:1560px;margin:0 auto;padding:16px}
& .box{padding:16px;background:var(--surface);border:1px solid var(--line);border-radius:8px;overflow-wrap:anywhere;min-width:0}
& h2{font-size:14px;font-weight:650;line-height:1.45}& .box p{margin-top:8px}& .dim{color:var(--dim)}
& .opening{border-color:var(--tone);background:var(--tone-bg)}& .opening .word{margin:0;color:var(--tone);font-size:38px;font-weight:650;line-height:1.1}
& h1{margin:8px 0 0;font-size:20px;font-weight:650;line-height:1.25;letter-spacing:-.015em}& .opening .since{margin-top:4px;color:var(--dim);font-size:12.5px}
& .figures{display:grid;grid-template-columns:repeat(4,auto);justify-content:space-between;gap:8px;margin-top:16px}
& .figures div{display:flex;flex-direction:column-reverse;justify-content:flex-end}& dt{color:var(--dim);font-size:12.5px}& .figures dd{font-size:20px;font-weight:600;line-height:1.45}
& .spark{display:block;width:100%;height:36px;margin-top:12px}& .spark path{fill:none;stroke:var(--tone);stroke-width:2;vector-effect:non-scaling-stroke}& .spark .floor{stroke:var(--line-strong);stroke-width:1}
& .told{border-left:4px solid var(--accent)}& .told p{margin:0}
& .with{display:flex;align-items:baseline;gap:12px}
& .tags{display:flex;flex-wrap:wrap;gap:8px;margin-top:12px}& .tags>li>:is(a,span){display:inline-flex;align-items:center;gap:6px;min-height:32px;padding:0 12px;border:1px solid var(--line-strong);border-radius:16px;color:var(--text);text-decoration:none}
& .dot{width:14px;height:14px;border-radius:50%;background:var(--tone,var(--dim))}
& .list{display:grid;gap:8px;margin-top:8px}& .done .list,& .box.list{margin:0}& .reasons li{padding-left:12px;border-left:2px solid var(--line-strong)}
& .when li{display:grid;grid-template-columns:84px 1fr;gap:12px}& .when li>:first-child{color:var(--dim)}
& .note{display:grid;gap:8px;margin-top:12px;max-width:760px}& .note button{justify-self:start;min-width:120px}& :is(textarea,select){width:100%;min-height:44px;padding:10px 12px;border:1px solid var(--line-strong);border-radius:4px;background:var(--bg);color:var(--text);font:inherit}
& .hand{display:flex;gap:8px}& details{margin-top:8px}& summary{padding:8px 0;color:var(--dim);font-size:12.5px;cursor:pointer}& details dl{display:grid;gap:4px;margin-top:8px}& details dl div{display:flex;justify-content:space-between;gap:16px}& details dd{text-align:right}& details dt{font-size:14px;color:inherit}& .hand label{flex:1}
& button{min-height:44px;padding:0 12px;border:1px solid var(--line-strong);border-radius:4px;background:none;color:var(--text);font:inherit;font-weight:600;cursor:pointer}
& button.main{border-color:transparent;background:var(--accent);color:var(--on-accent)}
& .thumb form,& .thumb p{display:flex;flex-wrap:wrap;gap:8px;margin:0}& .thumb small{flex-basis:100%;color:var(--dim)}
& .hid{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
@media(max-width:760px){& .sheet{padding:12px 12px 152px}& .bar{padding:0 12px}& .bar nav{position:fixed;inset:auto 0 0;z-index:10;display:flex;height:58px;background:var(--surface);border-top:1px solid var(--line)}& .bar nav a{flex:1;display:grid;place-content:center;font-size:12.5px}
& .thumb{position:fixed;inset:auto 0 58px;z-index:9;padding:8px 12px;background:var(--surface);border-top:1px solid var(--line-strong)}& .thumb.low{bottom:0;padding-bottom:calc(8px + env(safe-area-inset-bottom))}& .thumb button{flex:1}}
@media(min-width:761px){& .bar nav{display:flex;gap:24px}}
@media(min-width:1000px){& .sheet{grid-template-columns:minmax(0,1fr) minmax(0,1fr);align-items:start}& .sheet>div{display:grid;gap:12px}& .wide{grid-column:1/-1}}
@media(max-width:999px){& .sheet>div{display:contents}}
`

/** With a width of its own in the same place, the scripts' page is laid out before it is shown. */
const WAITING =
  '#first-screen~#root{position:absolute;inset:0 0 auto;visibility:hidden;height:100vh;overflow:hidden;pointer-events:none}'

export const STYLE: string = `${TOKENS}${RULES.replaceAll('&', '#first-screen')}${WAITING}`

/** For `style-src`: this sheet and no other that stands in the page. */
export const STYLE_HASH: string = `'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`
