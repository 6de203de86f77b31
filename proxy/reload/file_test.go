package reload_test

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gauntlet/proxy/config"
	"gauntlet/proxy/reload"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func text(listen string) string {
	return "listen: " + listen + "\nupstreams: {api: {endpoints: [a:1]}}\nroutes: [{path: /, upstream: api}]\n"
}

func write(t *testing.T, path, content string) {
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
}

// watched runs body while a file is watched in a bubble, where time passes by
// itself; look lets the watcher look n times and says what it has loaded since.
func watched(t *testing.T, path string, body func(look func(n int) []string)) {
	synctest.Test(t, func(t *testing.T) {
		f := reload.NewFile(path)
		_, err := f.Load()
		require.NoError(t, err)
		var mu sync.Mutex
		var got []string
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			f.Watch(ctx, reload.Every, func() {
				cfg, err := f.Load()
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					require.ErrorIs(t, err, config.ErrInvalid)
					got = append(got, "refused")
					return
				}
				got = append(got, cfg.Listen)
			})
		})
		time.Sleep(reload.Every / 2) // out of step with the ticker
		body(func(n int) []string {
			time.Sleep(time.Duration(n) * reload.Every)
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			seen := got
			got = nil
			return seen
		})
		cancel()
		wg.Wait()
	})
}

func TestWatchSeesEveryWayToChangeAFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "proxy.yaml")
	write(t, path, text("a:1"))
	watched(t, path, func(look func(int) []string) {
		require.Empty(t, look(3), "what was loaded is no news")
		write(t, path, text("a:2"))
		require.Empty(t, look(1), "seen once only")
		require.Equal(t, []string{"a:2"}, look(1))
		require.Empty(t, look(10))

		next := filepath.Join(dir, "next")
		write(t, next, text("a:3"))
		require.NoError(t, os.Rename(next, path))
		require.Equal(t, []string{"a:3"}, look(2), "an atomic rename")

		was, err := os.Stat(path)
		require.NoError(t, err)
		write(t, path, text("a:4"))
		require.NoError(t, os.Chtimes(path, was.ModTime(), was.ModTime()))
		require.Equal(t, []string{"a:4"}, look(2), "same size, same time")

		require.NoError(t, os.Remove(path))
		require.Empty(t, look(4), "missing for a while")
		write(t, path, text("a:4"))
		require.Empty(t, look(4), "back as it was")
		write(t, path, text("a:5"))
		require.Equal(t, []string{"a:5"}, look(2))
	})
}

// TestWatchFollowsSwappedLinks plays a Kubernetes ConfigMap: the file is a
// link into a directory that is itself a link, and that is what is replaced.
func TestWatchFollowsSwappedLinks(t *testing.T) {
	dir := t.TempDir()
	publish := func(version, content string) {
		require.NoError(t, os.Mkdir(filepath.Join(dir, version), 0o700))
		write(t, filepath.Join(dir, version, "proxy.yaml"), content)
		require.NoError(t, os.Symlink(version, filepath.Join(dir, "..next")))
		require.NoError(t, os.Rename(filepath.Join(dir, "..next"), filepath.Join(dir, "..data")))
	}
	publish("1", text("a:1"))
	path := filepath.Join(dir, "proxy.yaml")
	require.NoError(t, os.Symlink("..data/proxy.yaml", path))
	watched(t, path, func(look func(int) []string) {
		publish("2", text("a:2"))
		require.Equal(t, []string{"a:2"}, look(2))
		require.NoError(t, os.RemoveAll(filepath.Join(dir, "1")))
		publish("3", text("a:3"))
		require.Equal(t, []string{"a:3"}, look(2))
	})
}

// TestWatchOffersABadFileOnce and goes on with the next change; what is being
// written is not looked at.
func TestWatchOffersABadFileOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "proxy.yaml")
	write(t, path, text("a:1"))
	watched(t, path, func(look func(int) []string) {
		whole := text("a:2")
		write(t, path, "")
		require.Empty(t, look(3), "truncated, to be written anew")
		write(t, path, whole[:20])
		require.Empty(t, look(1))
		write(t, path, whole[:40])
		require.Empty(t, look(1))
		write(t, path, whole)
		require.Equal(t, []string{"a:2"}, look(2))

		write(t, path, "routes: []\n")
		require.Equal(t, []string{"refused"}, look(2))
		require.Empty(t, look(10))
		write(t, path, text("a:2"))
		require.Equal(t, []string{"a:2"}, look(2))
	})
}

// TestChangeOfAFileAtRest: one that was written long ago is only asked for its
// time, and its change is seen all the same. The bubble's clock begins before
// that of any file, so this one is real.
func TestChangeOfAFileAtRest(t *testing.T) {
	path := filepath.Join(t.TempDir(), "proxy.yaml")
	write(t, path, text("a:1"))
	old := time.Now().Add(-time.Hour)
	require.NoError(t, os.Chtimes(path, old, old))
	f := reload.NewFile(path)
	_, err := f.Load()
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	changes := make(chan struct{}, 1)
	wg.Go(func() {
		f.Watch(ctx, time.Millisecond, func() {
			_, _ = f.Load()
			changes <- struct{}{}
		})
	})
	write(t, path, text("a:2")) // and this is seen all the same
	select {
	case <-changes:
	case <-time.After(10 * time.Second):
		t.Error("not seen")
	}
	cancel()
	wg.Wait()
}

func TestLoadErrors(t *testing.T) {
	_, err := reload.NewFile(filepath.Join(t.TempDir(), "none")).Load()
	require.ErrorIs(t, err, os.ErrNotExist)
	path := filepath.Join(t.TempDir(), "bad.yaml")
	write(t, path, "listen: x\n")
	_, err = reload.NewFile(path).Load()
	require.ErrorIs(t, err, config.ErrInvalid)
	require.ErrorContains(t, err, path)
}
