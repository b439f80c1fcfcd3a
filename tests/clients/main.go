// Copyright (c) 2026, steady.redis contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// An application with go-redis, set as docs/operations/clients.md says. clients SENTINELS GROUP LOG
package main

import (
	"context"
	"fmt"
	"math/rand"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"
)

func main() {
	sentinels, group, path := os.Args[1], os.Args[2], os.Args[3]
	client := redis.NewFailoverClient(&redis.FailoverOptions{
		MasterName:    group,
		SentinelAddrs: strings.Split(sentinels, ","),
		DialTimeout:   3 * time.Second, // asking the Sentinels is part of it, and one of them may hang
		DialerRetries: 1,
		ReadTimeout:   time.Second,
		WriteTimeout:  time.Second,
		MaxRetries:    -1, // or one write may be sent again after another has been
	})
	redis.SetLogger(silent{})
	log, err := os.Create(path)
	if err != nil {
		panic(err)
	}
	zero, number, run := time.Now(), 0, fmt.Sprintf("oracle:%08x", rand.Uint32())
	// A line of the log that plugins/module_utils/_writer.py reads.
	note := func(event string, what any) {
		fmt.Fprintf(log, "%s %.6f %v\n", event, time.Since(zero).Seconds(), what)
	}
	ended, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	note("start", run)
	for ended.Err() == nil {
		number++
		key, sent := fmt.Sprintf("%s:%d", run, number), time.Now()
		value := key + ":" + strings.Repeat("x", 100-len(key)-1)
		if err := client.Set(context.Background(), key, value, 0).Err(); err != nil {
			note("error", strings.Fields(err.Error() + " ?")[0])
			time.Sleep(20 * time.Millisecond)
		} else {
			note("ack", fmt.Sprintf("%d %.6f", number, time.Since(sent).Seconds()))
		}
		time.Sleep(time.Until(sent.Add(2 * time.Millisecond)))
	}
	note("end", number)
}

type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}
