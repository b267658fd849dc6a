package web

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func get(t *testing.T, target string) *httptest.ResponseRecorder {
	t.Helper()
	response := httptest.NewRecorder()
	Handler().ServeHTTP(response, httptest.NewRequest(http.MethodGet, target, nil))
	return response
}

func TestHandler_Page(t *testing.T) {
	response := get(t, "/?room=welcome")
	require.Equal(t, http.StatusOK, response.Code)
	assert.Equal(t, "text/html; charset=utf-8", response.Header().Get("Content-Type"))
	assert.Equal(t, "no-store", response.Header().Get("Cache-Control"))
	assert.Equal(t, "nosniff", response.Header().Get("X-Content-Type-Options"))

	csp := response.Header().Get("Content-Security-Policy")
	assert.Contains(t, csp, "default-src 'none'")
	assert.NotContains(t, csp, "unsafe")
	nonce := regexp.MustCompile(`'nonce-([A-Z2-7]{26,})'`).FindStringSubmatch(csp)
	require.Len(t, nonce, 2, csp)
	assert.Contains(t, response.Body.String(), `nonce="`+nonce[1]+`"`)
	assert.NotContains(t, response.Body.String(), noncePlaceholder)

	second := get(t, "/").Header().Get("Content-Security-Policy")
	assert.NotEqual(t, csp, second, "the nonce must not repeat")
}

func TestHandler_Assets(t *testing.T) {
	page := get(t, "/").Body.String()
	assets := regexp.MustCompile(`(?:src|href)="(/[^"]+)"`).FindAllStringSubmatch(page, -1)
	types := make(map[string]string)
	for _, match := range assets {
		response := get(t, match[1])
		require.Equal(t, http.StatusOK, response.Code, match[1])
		assert.NotEmpty(t, response.Body.Bytes(), match[1])
		assert.Equal(t, "public, max-age=31536000, immutable", response.Header().Get("Cache-Control"), match[1])
		assert.Regexp(t, `-[0-9A-Za-z]{8}\.`, match[1], "a file that is kept for ever needs its hash in its name")
		types[match[1][strings.LastIndex(match[1], "."):]] = response.Header().Get("Content-Type")
	}
	assert.Equal(t, map[string]string{
		".js":  "text/javascript; charset=utf-8",
		".css": "text/css; charset=utf-8",
		".svg": "image/svg+xml",
	}, types)
}

func TestHandler_LoadsNothingFromElsewhere(t *testing.T) {
	page := get(t, "/").Body.String()
	assert.NotRegexp(t, `(?:src|href)="(?:[a-z]+:)?//`, page)
	style := regexp.MustCompile(`/style-[^"]+\.css`).FindString(page)
	assert.NotRegexp(t, `url\(|@import`, get(t, style).Body.String())
}

func TestHandler_Licenses(t *testing.T) {
	response := get(t, "/THIRD_PARTY_LICENSES.txt")
	require.Equal(t, http.StatusOK, response.Code)
	assert.Equal(t, "text/plain; charset=utf-8", response.Header().Get("Content-Type"))
	assert.Equal(t, "no-cache", response.Header().Get("Cache-Control"))
	for _, name := range []string{"@codemirror/view", "lib0", "y-codemirror.next", "y-websocket", "yjs"} {
		assert.Contains(t, response.Body.String(), "\n"+name+" ")
	}
}

func TestHandler_NotFound(t *testing.T) {
	for _, target := range []string{"/index.html", "/dist/", "/dist/index.html", "/other", "/embed.go"} {
		assert.Equal(t, http.StatusNotFound, get(t, target).Code, target)
	}
}

func TestHandler_Methods(t *testing.T) {
	response := httptest.NewRecorder()
	Handler().ServeHTTP(response, httptest.NewRequest(http.MethodPost, "/", nil))
	assert.Equal(t, http.StatusMethodNotAllowed, response.Code)
}
