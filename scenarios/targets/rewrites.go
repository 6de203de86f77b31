package targets

import (
	"fmt"
	"strings"
)

// What the proxies call the rewriting of responses: text in bodies (find and
// replace, of which find says that there is any), one field that is set and one
// that is removed.
const (
	rewriteFind    = "upstream.rewrite.find"
	rewriteReplace = "upstream.rewrite.replace"
	rewriteSet     = "upstream.rewrite.set"
	rewriteRemove  = "upstream.rewrite.remove"
)

// field gives the name and the value of "Name: value".
func field(text string) (name, value string) {
	name, value, _ = strings.Cut(text, ":")
	return strings.TrimSpace(name), strings.TrimSpace(value)
}

// proxyRewrite gives the value that a setting has in the reference proxy's
// configuration; ok is false when it is no such setting.
func proxyRewrite(name string, texts map[string]string) (value any, ok bool) {
	switch name {
	case rewriteFind:
		return []any{map[string]any{"find": texts[name], "replace": texts[rewriteReplace]}}, true
	case rewriteSet:
		n, v := field(texts[name])
		return map[string]any{n: v}, true
	case rewriteRemove:
		return []string{texts[name]}, true
	}
	return nil, false
}

// nginxRewrite gives nginx's directives, and takes the settings out of texts.
func nginxRewrite(texts map[string]string) string {
	var b strings.Builder
	if find := texts[rewriteFind]; find != "" {
		fmt.Fprintf(&b, "    sub_filter_once off; sub_filter_types *; proxy_set_header Accept-Encoding \"\"; sub_filter '%s' '%s';\n", find, texts[rewriteReplace])
	}
	if name, value := field(texts[rewriteSet]); name != "" {
		fmt.Fprintf(&b, "    proxy_hide_header %s; add_header %[1]s \"%s\" always;\n", name, value)
	}
	if name := texts[rewriteRemove]; name != "" {
		fmt.Fprintf(&b, "    proxy_hide_header %s;\n", name)
	}
	for _, name := range []string{rewriteFind, rewriteReplace, rewriteSet, rewriteRemove} {
		delete(texts, name)
	}
	return b.String()
}

// haproxyRewrite gives HAProxy's rules, and takes the settings out of texts.
// It changes no bodies.
func haproxyRewrite(texts map[string]string) string {
	var b strings.Builder
	if name, value := field(texts[rewriteSet]); name != "" {
		fmt.Fprintf(&b, "\n    http-response set-header %s \"%s\"", name, value)
	}
	if name := texts[rewriteRemove]; name != "" {
		fmt.Fprintf(&b, "\n    http-response del-header %s", name)
	}
	delete(texts, rewriteSet)
	delete(texts, rewriteRemove)
	return b.String()
}
