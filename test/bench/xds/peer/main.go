// The peer: go-control-plane with its snapshot cache, one snapshot for all nodes or one a node, or with
// its linear cache. It serves what the runner wrote down; POST /trigger moves the weights of the first
// route and puts the marker into its name.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"sync"

	// The types inside the resources, which are unpacked by name.
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	route "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/envoyproxy/go-control-plane/pkg/cache/types"
	"github.com/envoyproxy/go-control-plane/pkg/cache/v3"
	server "github.com/envoyproxy/go-control-plane/pkg/server/v3"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"
	"headgate/bench/xds/world"
)

// store is what differs between the caches: setting everything, and changing the first route.
type store interface {
	cache() cache.Cache
	publish(ctx context.Context, version int, routes []types.Resource) error
}

type everybody struct{}

func (everybody) ID(*core.Node) string { return "everybody" }

// snapshots is the snapshot cache; names are the keys of its snapshots.
type snapshots struct {
	snapshotCache cache.SnapshotCache
	names         []string
	fixed         map[types.ResponseType][]types.Resource
}

func (s *snapshots) cache() cache.Cache { return s.snapshotCache }

func (s *snapshots) publish(ctx context.Context, version int, routes []types.Resource) error {
	for _, name := range s.names {
		snapshot := &cache.Snapshot{}
		for kind, resources := range s.fixed {
			snapshot.Resources[kind] = cache.NewResources("1", resources)
		}
		snapshot.Resources[types.Route] = cache.NewResources(fmt.Sprint(version), routes)
		if err := s.snapshotCache.SetSnapshot(ctx, name, snapshot); err != nil {
			return err
		}
	}
	return nil
}

// linear is one linear cache for each type.
type linear struct {
	mux    *cache.MuxCache
	routes *cache.LinearCache
}

func (l *linear) cache() cache.Cache { return l.mux }

func (l *linear) publish(_ context.Context, _ int, routes []types.Resource) error {
	return l.routes.UpdateResource(cache.GetResourceName(routes[0]), routes[0])
}

func newLinear(resources map[string][]types.Resource, urls map[string]string) *linear {
	mux := &cache.MuxCache{
		Classify:      func(request *cache.Request) string { return request.GetTypeUrl() },
		ClassifyDelta: func(request *cache.DeltaRequest) string { return request.GetTypeUrl() },
		Caches:        map[string]cache.Cache{},
	}
	result := &linear{mux: mux}
	for kind, list := range resources {
		byName := map[string]types.Resource{}
		for _, resource := range list {
			byName[cache.GetResourceName(resource)] = resource
		}
		one := cache.NewLinearCache(urls[kind], cache.WithInitialResources(byName))
		mux.Caches[urls[kind]] = one
		if kind == "route" {
			result.routes = one
		}
	}
	return result
}

// moved is the first route configuration with other weights and the marker of version in its name.
func moved(first types.Resource, version int) (types.Resource, string) {
	marker := fmt.Sprintf("#m%06d", version)
	copied := proto.Clone(first).(*route.RouteConfiguration)
	only := copied.VirtualHosts[0].Routes[0]
	only.Name = only.Name[:len(only.Name)-len(marker)] + marker
	weights := only.GetRoute().GetWeightedClusters().Clusters
	weights[0].Weight = wrapperspb.UInt32(uint32(100 - version%100))
	weights[1].Weight = wrapperspb.UInt32(uint32(version % 100))
	return copied, marker
}

func main() {
	xds := flag.String("xds", "127.0.0.1:0", "address of the xDS server")
	ctl := flag.String("ctl", "127.0.0.1:0", "address of POST /trigger")
	backend := flag.String("backend", "shared", "shared, each or linear")
	nodes := flag.Int("nodes", 1, "nodes that have a snapshot each")
	folder := flag.String("world", "", "folder of the resources")
	flag.Parse()

	resources, urls := map[string][]types.Resource{}, map[string]string{}
	for _, kind := range world.Types {
		response, err := world.Read(*folder, kind)
		check(err)
		for _, packed := range response.Resources {
			message, err := packed.UnmarshalNew()
			check(err)
			resources[kind] = append(resources[kind], message)
			urls[kind] = packed.TypeUrl
		}
	}
	var caches store
	fixed := map[types.ResponseType][]types.Resource{
		types.Cluster:  resources["cluster"],
		types.Endpoint: resources["endpoint"],
		types.Listener: resources["listener"],
	}
	switch *backend {
	case "shared":
		caches = &snapshots{cache.NewSnapshotCache(true, everybody{}, nil), []string{"everybody"}, fixed}
	case "each":
		names := make([]string, *nodes)
		for number := range names {
			names[number] = fmt.Sprintf("node-%05d", number)
		}
		caches = &snapshots{cache.NewSnapshotCache(true, cache.IDHash{}, nil), names, fixed}
	case "linear":
		caches = newLinear(resources, urls)
	default:
		log.Fatalf("there is no backend %s", *backend)
	}
	ctx := context.Background()
	check(caches.publish(ctx, 1, resources["route"]))

	var mutex sync.Mutex
	version := 1
	http.HandleFunc("POST /trigger", func(w http.ResponseWriter, _ *http.Request) {
		mutex.Lock()
		defer mutex.Unlock()
		version++
		changed, marker := moved(resources["route"][0], version)
		check(json.NewEncoder(w).Encode(map[string]string{"marker": marker}))
		w.(http.Flusher).Flush()
		// A new list, since streams may still read the old one.
		routes := append([]types.Resource{changed}, resources["route"][1:]...)
		check(caches.publish(ctx, version, routes))
	})
	control, err := net.Listen("tcp", *ctl)
	check(err)
	listener, err := net.Listen("tcp", *xds)
	check(err)
	grpcServer := grpc.NewServer(grpc.MaxConcurrentStreams(1_000_000))
	discovery.RegisterAggregatedDiscoveryServiceServer(grpcServer, server.NewServer(ctx, caches.cache(), nil))
	fmt.Printf("peer: xds %s ctl %s\n", listener.Addr(), control.Addr())
	go func() { check(http.Serve(control, nil)) }()
	check(grpcServer.Serve(listener))
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
