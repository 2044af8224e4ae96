// Owns the questions that the query page offers when nothing was asked yet: what people ask of a streaming fleet.

export interface Example {
  readonly question: string
  readonly expr: string
}

export const EXAMPLES: readonly Example[] = [
  {
    question: 'How busy is each server?',
    expr: 'sum by (instance) (rate(vitrine_server_cpu_seconds_total[3s]))',
  },
  { question: 'Who watches where?', expr: 'sum by (instance) (vitrine_fleet_watching)' },
  {
    question: 'How much does each edge send, in bit/s?',
    expr: 'sum by (instance) (rate(vitrine_edge_sent_bytes_total[10s])) * 8',
  },
  {
    question: 'How many requests, and how do they end?',
    expr: 'sum by (instance, status) (rate(vitrine_edge_requests_total[10s]))',
  },
  {
    question: 'Which part is answered without the origin?',
    expr: 'sum by (instance) (rate(vitrine_edge_cache_requests_total{result=~"memory|disk|shared"}[30s])) / sum by (instance) (rate(vitrine_edge_cache_requests_total[30s]))',
  },
  {
    question: 'How long until the first byte, for 99 of 100 requests?',
    expr: 'histogram_quantile(0.99, sum by (instance, le) (rate(vitrine_edge_first_byte_seconds_bucket[1m])))',
  },
  { question: 'Who cannot reach whom?', expr: 'vitrine_probe_success == 0' },
  {
    question: 'How full are the disks?',
    expr: '1 - node_filesystem_avail_bytes / node_filesystem_size_bytes',
  },
  {
    question: 'Which process is late with its timers?',
    expr: 'topk(5, vitrine_process_event_loop_delay_seconds{quantile="0.99"})',
  },
]
