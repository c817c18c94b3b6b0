// The load client: N proxies, each an ADS stream on a connection of its own, that ask as Envoy does
// (clusters and listeners as wildcard, endpoints and routes by name) and acknowledge everything. It
// measures the storm, until all proxies have all resources, and then, for each trigger, how long it
// takes until every proxy has acknowledged the response with the marker. Responses are read only as far
// as needed, so that the client does not take the processors from the server. One line of JSON.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/encoding/protowire"
	"headgate/bench/xds/world"
)

// Field numbers of a response, the same in both variants; version is 1.
const (
	responseResources = 2
	responseTypeURL   = 4
	responseNonce     = 5
)

// rawCodec passes messages through as bytes.
type rawCodec struct{}

func (rawCodec) Marshal(message any) ([]byte, error) { return *message.(*[]byte), nil }
func (rawCodec) Unmarshal(data []byte, message any) error {
	*message.(*[]byte) = bytes.Clone(data)
	return nil
}
func (rawCodec) Name() string { return "proto" }

// kind is what is known of one resource type before anything is sent.
type kind struct {
	url   string
	names []byte // The encoded names of a subscription; empty for a wildcard.
	count int
	child int // The type whose names are asked for once this one has come; -1: none.
}

var kinds []kind

type proxy struct {
	number int
	stream grpc.ClientStream
	got    [4]int
	isFull bool
}

type progress struct {
	full   chan struct{}
	marked chan mark
}

type mark struct {
	marker string
	at     time.Time
}

var isDelta bool

func field(message []byte, number protowire.Number, value []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(message, number, protowire.BytesType), value)
}

// request is a DiscoveryRequest or DeltaDiscoveryRequest for one type. A nonce makes it an answer.
func request(of kind, node, version, nonce []byte) []byte {
	var message []byte
	if isDelta {
		if node != nil {
			message = field(message, 1, node)
		}
		message = field(message, 2, []byte(of.url))
		if nonce == nil {
			return append(message, of.names...)
		}
		return field(message, 6, nonce)
	}
	message = field(message, 1, version)
	if node != nil {
		message = field(message, 2, node)
	}
	message = append(message, of.names...)
	return field(field(message, 4, []byte(of.url)), 5, nonce)
}

func (p *proxy) send(message []byte) {
	if err := p.stream.SendMsg(&message); err != nil {
		log.Fatalf("proxy %d: %v", p.number, err)
	}
}

func (p *proxy) run(target string, report progress) {
	// Each proxy has a connection of its own, as Envoys have.
	connection, err := grpc.NewClient("passthrough:///"+target, grpc.WithTransportCredentials(insecure.NewCredentials()))
	check(err)
	method := "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources"
	if isDelta {
		method = strings.Replace(method, "Stream", "Delta", 1)
	}
	p.stream, err = connection.NewStream(context.Background(), &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, method,
		grpc.ForceCodec(rawCodec{}), grpc.MaxCallRecvMsgSize(1<<30))
	check(err)
	node := field(nil, 1, fmt.Appendf(nil, "node-%05d", p.number))
	p.send(request(kinds[0], node, nil, nil))
	p.send(request(kinds[2], nil, nil, nil))
	for {
		var message []byte
		if err := p.stream.RecvMsg(&message); err != nil {
			log.Fatalf("proxy %d: %v", p.number, err)
		}
		p.take(message, report)
	}
}

// take answers a response, asks for what it leads to, and reports.
func (p *proxy) take(message []byte, report progress) {
	var version, nonce []byte
	at, resources := -1, 0
	for rest := message; len(rest) > 0; {
		number, wire, length := protowire.ConsumeTag(rest)
		rest = rest[length:]
		size := protowire.ConsumeFieldValue(number, wire, rest)
		if size < 0 {
			log.Fatal("a response cannot be read")
		}
		switch number {
		case 1:
			version, _ = protowire.ConsumeBytes(rest)
		case responseResources:
			resources++
		case responseTypeURL:
			url, _ := protowire.ConsumeBytes(rest)
			at = slices.IndexFunc(kinds, func(each kind) bool { return each.url == string(url) })
		case responseNonce:
			nonce, _ = protowire.ConsumeBytes(rest)
		}
		rest = rest[size:]
	}
	if at < 0 {
		log.Fatal("a response of a type that nobody asked for")
	}
	p.send(request(kinds[at], nil, version, nonce))
	if child := kinds[at].child; child >= 0 && p.got[at] == 0 {
		p.send(request(kinds[child], nil, nil, nil))
	}
	p.got[at] += resources
	if p.isFull {
		if place := bytes.Index(message, []byte("#m")); place >= 0 {
			report.marked <- mark{string(message[place : place+8]), time.Now()}
		}
		return
	}
	p.isFull = true
	for index, each := range kinds {
		p.isFull = p.isFull && p.got[index] >= each.count
	}
	if p.isFull {
		report.full <- struct{}{}
	}
}

// usage is processor time in seconds and resident memory in MB of a process, from /proc.
func usage(pid int) (cpu, rss float64) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	check(err)
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+2:]))
	var user, system, pages float64
	_, err = fmt.Sscan(fields[11]+" "+fields[12]+" "+fields[21], &user, &system, &pages)
	check(err)
	return (user + system) / 100, pages * float64(os.Getpagesize()) / 1e6
}

// rest waits until the server is idle.
func rest(pid int) {
	for before, _ := usage(pid); ; {
		time.Sleep(500 * time.Millisecond)
		now, _ := usage(pid)
		if now-before < 0.03 {
			return
		}
		before = now
	}
}

func main() {
	target := flag.String("xds", "", "address of the xDS server")
	ctl := flag.String("ctl", "", "address of its POST /trigger")
	clients := flag.Int("clients", 100, "proxies")
	variant := flag.String("variant", "delta", "delta or sotw")
	triggers := flag.Int("triggers", 3, "weight changes")
	burst := flag.Int("burst", 0, "weight changes one after another within ten seconds, at the end")
	pid := flag.Int("pid", 0, "the server's process")
	folder := flag.String("world", "", "folder of the resources")
	flag.Parse()
	isDelta = *variant == "delta"
	load(*folder)

	report := progress{make(chan struct{}, *clients), make(chan mark, *clients)}
	cpu, _ := usage(*pid)
	begin := time.Now()
	for number := range *clients {
		go (&proxy{number: number}).run(*target, report)
	}
	for range *clients {
		<-report.full
	}
	storm := time.Since(begin).Seconds()
	stormed, _ := usage(*pid)
	rest(*pid)
	_, idle := usage(*pid)
	var medians, p99s, lasts, cpus []float64
	for range *triggers {
		before, _ := usage(*pid)
		taken := trigger(*ctl, *clients, report.marked)
		rest(*pid)
		after, _ := usage(*pid)
		medians = append(medians, taken[len(taken)/2])
		p99s = append(p99s, taken[len(taken)*99/100])
		lasts = append(lasts, taken[len(taken)-1])
		cpus = append(cpus, after-before)
	}
	results := map[string]float64{
		"stormS": storm, "stormCpuS": stormed - cpu, "updateMedianMs": median(medians), "updateP99Ms": median(p99s),
		"updateLastMs": median(lasts), "updateCpuS": median(cpus), "rssMb": idle,
	}
	if *burst > 0 {
		before, _ := usage(*pid)
		results["burstMs"], results["burstResponses"] = changes(*ctl, *clients, *burst, report.marked)
		rest(*pid)
		after, _ := usage(*pid)
		results["burstCpuS"] = after - before
	}
	check(json.NewEncoder(os.Stdout).Encode(results))
}

// changes triggers count times within ten seconds. It returns the milliseconds from the last trigger until
// every proxy has acknowledged what that one made, and how many responses each proxy got on average.
func changes(ctl string, clients, count int, marked chan mark) (milliseconds, responses float64) {
	lastMarker := make(chan string, 1)
	var lastAt time.Time
	go func() {
		every := time.NewTicker(10 * time.Second / time.Duration(count))
		defer every.Stop()
		var marker string
		for range count {
			<-every.C
			lastAt = time.Now()
			marker = post(ctl)
		}
		lastMarker <- marker
	}()
	byMarker, total, wanted := map[string]int{}, 0, ""
	for wanted == "" || byMarker[wanted] < clients {
		select {
		case wanted = <-lastMarker:
		case each := <-marked:
			byMarker[each.marker]++
			total++
		}
	}
	return time.Since(lastAt).Seconds() * 1000, float64(total) / float64(clients)
}

// trigger returns, sorted, the milliseconds from the request to each proxy's acknowledgement.
func trigger(ctl string, clients int, marked chan mark) []float64 {
	begin := time.Now()
	marker := post(ctl)
	var taken []float64
	for len(taken) < clients {
		if each := <-marked; each.marker == marker {
			taken = append(taken, each.at.Sub(begin).Seconds()*1000)
		}
	}
	slices.Sort(taken)
	return taken
}

// post asks for a change and returns the marker of what it made.
func post(ctl string) string {
	response, err := http.Post("http://"+ctl+"/trigger", "application/json", nil)
	check(err)
	var answer struct{ Marker string }
	body, err := io.ReadAll(response.Body)
	check(err)
	check(response.Body.Close())
	check(json.Unmarshal(body, &answer))
	return answer.Marker
}

// load reads what there is to ask for.
func load(folder string) {
	subscribe := protowire.Number(3)
	for index, name := range world.Types {
		response, err := world.Read(folder, name)
		check(err)
		one := kind{url: response.Resources[0].TypeUrl, count: len(response.Resources), child: -1}
		isNamed := index%2 == 1
		if !isNamed {
			one.child = index + 1
		}
		for _, packed := range response.Resources {
			if isNamed {
				one.names = field(one.names, subscribe, nameOf(packed.Value))
			}
		}
		kinds = append(kinds, one)
	}
}

// nameOf is the first field of all four types.
func nameOf(resource []byte) []byte {
	_, _, length := protowire.ConsumeTag(resource)
	name, _ := protowire.ConsumeBytes(resource[length:])
	return name
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
