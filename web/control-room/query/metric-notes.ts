// Owns what Vitrine’s own metrics mean, for the query page, where the metrics API has no metadata of its own.
// The words are those of the exposition; a metric of another program is documented by the API or not at all.

export type MetricType = 'counter' | 'gauge' | 'histogram'

export interface MetricNote {
  readonly type: MetricType
  readonly help: string
}

const COUNTERS: Readonly<Record<string, string>> = {
  node_context_switches_total:
    'Context switches. Thousands more than usual under the same load: something spins.',
  node_cpu_seconds_total:
    'Seconds that each CPU spent in each mode. Little idle time left: the host is the limit.',
  node_disk_read_bytes_total: 'Bytes read by disk.',
  node_disk_written_bytes_total: 'Bytes written by disk.',
  node_network_receive_bytes_total: 'Bytes received by network interface.',
  node_network_speed_bytes: 'Bytes a second that the link of the interface can carry.',
  node_network_transmit_bytes_total:
    'Bytes sent by network interface. Flat at the link speed: the link is the limit.',
  process_cpu_seconds_total: 'CPU seconds of this process: user and system.',
  vitrine_agent_host_notes_total:
    'Seconds with top processes or kernel messages by what became of them. refused growing: see the log of this agent.',
  vitrine_agent_proc_unreadable_total:
    'Reads of /proc that failed: the metrics that come from that file are left out.',
  vitrine_agent_process_cpu_seconds_total:
    'CPU seconds by process of the group: the server itself, and the agent that watches it.',
  vitrine_agent_push_requests_total:
    'Remote write requests by result. failed growing: the control room is away, samples wait.',
  vitrine_agent_pushed_samples_total:
    'Samples by what became of them. refused or dropped growing: see the log of this agent.',
  vitrine_agent_scrapes_total:
    'Reads of the server by result. failed growing: the server is frozen, overloaded or stopped.',
  vitrine_base_label_sets_dropped_total:
    'Samples not counted because a metric had too many label sets. Should be 0: report it as a bug.',
  vitrine_clock_steps_total:
    'Times that the wall clock of this host was set. Outside of a runbook: somebody or a broken time source did it.',
  vitrine_control_channel_invalid_frames_total:
    'Channel frames that could not be read. Should be 0: look for a server with another version.',
  vitrine_control_channel_messages_dropped_total:
    'Messages not sent because a server does not read. A frozen server causes them; others should not.',
  vitrine_control_channel_refused_total:
    'Channels refused, by cause. token: check the token of the server that tries; protocol: update it.',
  vitrine_control_foreign_alerts: 'Alerts from outside that are firing.',
  vitrine_control_foreign_alerts_refused_total:
    'Alerts from outside that were not taken: 10,000 are firing already.',
  vitrine_control_incidents_open: 'Incidents that are open.',
  vitrine_control_rule_failures_total:
    'Rules that could not be evaluated. The log names the rule; correct its expression.',
  vitrine_control_rule_results_dropped_total:
    'Results of a rule not taken: more than 1000, or one label set twice. Aggregate in the rule.',
  vitrine_control_rule_round_seconds:
    'Time that the last round of rules took. Above one second, rules are evaluated less often than they ask for.',
  vitrine_control_rule_rounds_total:
    'Rounds in which all rules that were due were evaluated: one a second, and more when servers change.',
  vitrine_control_rules_in_force:
    'Whether the rule files as they stand on disk are in force (1) or were refused and the old rules go on (0).',
  vitrine_control_viewer_records_lost_total:
    'Records that edges refused or lost before they could be sent, by reason; what is shown of viewers is short of them.',
  vitrine_control_viewer_records_total:
    'Records of what viewers went through, by kind; `again`: sent twice after a reconnect and taken once; `unreadable`: an edge of another version.',
  vitrine_edge_cache_requests_total:
    'Requests for media by how they were answered. `stale` means that the origin is away.',
  vitrine_edge_control_lost_seconds:
    'For how long this edge has not heard the control room; 0: it hears it. Look at the network between them.',
  vitrine_edge_counting_since_seconds:
    'When requests and sent bytes were zero, in seconds since 1970: the first start since the host booted.',
  vitrine_edge_dropped_total:
    'What was refused or given up because of a limit or a fault, by reason; each should stay flat.',
  vitrine_edge_probe_bytes_total:
    'Body bytes sent to probes of the fleet; neither viewers nor the ledger count them. Bounded by the probe budget.',
  vitrine_edge_requests_total:
    'Answers by kind, status and class of title; kind `internal` is our own agents and probes. Many 5xx: look at vitrine_edge_upstream_failures_total.',
  vitrine_edge_sent_bytes_total:
    'Body bytes sent to viewers by class of title, counted when an answer ends. Flat under traffic: the edge is frozen.',
  vitrine_edge_upstream_bytes_total:
    'Body bytes fetched from the origin. Near the bytes sent: the cache is too small.',
  vitrine_edge_upstream_failures_total:
    'Fetches from the origin that failed. Check that the origin runs and knows this edge.',
  vitrine_edge_viewer_records_dropped_total:
    'Records that were not taken, or lost before the control room had them, by reason. `spool-full`: the control room was away for too long.',
  vitrine_edge_viewer_records_mended_total:
    'Keys that were left out of records, by reason: a player that lies or is newer than this edge.',
  vitrine_edge_viewer_records_total:
    'Records of what viewers went through that this edge took: `event` of players, `request` of its own answers.',
  vitrine_edge_viewer_spool_bytes: 'Size of the spool on disk; it has a limit.',
  vitrine_edge_viewer_spool_records:
    'Records that wait for the control room. Rising: it is away, or slower than viewers are.',
  vitrine_edge_watcher_holds:
    '1: this edge holds a sealed copy of the top route. Fewer than 2 in the fleet: nobody rings when the control room dies.',
  vitrine_edge_watcher_peers:
    'Other edges that a holder asked a minute ago, by result. Below half of the fleet reached: it could not ring.',
  vitrine_edge_watcher_told_total: 'Messages about a lost control room that this edge sent, by result.',
  vitrine_metrics_batches_refused_total:
    'Writes refused as a whole, because the disk did not take them: free space, or look at the disk.',
  vitrine_metrics_exemplars_dropped_total: 'Exemplars in remote writes: they are not kept.',
  vitrine_metrics_histograms_dropped_total:
    'Native histograms in remote writes: they are not kept. Let the sender send classic ones.',
  vitrine_metrics_samples_refused_total:
    'Samples that the metrics store did not take, by reason; duplicates are harmless.',
  vitrine_metrics_samples_total: 'Samples that the metrics store took.',
  vitrine_notify_attempts_total:
    'Attempts to send a notification, by receiver and what came of it: sent, failed, given-up.',
  vitrine_notify_config_in_force:
    'Whether control.notify as it stands in the file is in force (1) or was refused and the old one goes on (0).',
  vitrine_notify_failures:
    'Attempts to reach a receiver that failed one after the other; 0 after one that went well.',
  vitrine_notify_heartbeat_age_seconds:
    'Time since the dead man’s switch last took a heartbeat, or since the start.',
  vitrine_notify_heartbeat_period_seconds: 'How often the dead man’s switch is told.',
  vitrine_origin_busy_total:
    'Segments refused because too many were being sent. Growing means that the origin is too slow for its edges.',
  vitrine_origin_counting_since_seconds:
    'When the counters of this origin were zero, in seconds since 1970; each start of it. The ledger asks for it.',
  vitrine_origin_requests_total:
    'Requests by kind and status class; kind `internal` is our own agents and probes. 4xx of segments means edges hold playlists of replaced files.',
  vitrine_origin_sent_bytes_total:
    'Body bytes sent. Growing as fast as the edges send means that their caches do not hold.',
  vitrine_server_cpu_seconds_total:
    'CPU seconds of the server: its whole process group, with its agent. At 1 a second, one CPU is full.',
  vitrine_server_cpu_wait_seconds_total:
    'Seconds in which the server was ready to run while others had the CPU. Near 1 a second: neighbours starve it.',
  vitrine_viewers_asked_seconds_total:
    'Viewing time after the first frame, in seconds: watched and rebuffering.',
  vitrine_viewers_bitrate_bits_total: 'Bits of what was shown; divided by the seconds, the mean bitrate.',
  vitrine_viewers_bitrate_seconds_total: 'Seconds of playing with a known bitrate.',
  vitrine_viewers_errors_total: 'Errors that players told of, fatal or not.',
  vitrine_viewers_excess_affected: 'Sessions of an edge that were hit within the window, by measure.',
  vitrine_viewers_excess_expected:
    'Sessions that would be hit as usual: by what its peers go through now and by its own past.',
  vitrine_viewers_excess_sessions: 'Sessions of an edge within the window: the n of the comparison.',
  vitrine_viewers_excess_share:
    'Share of an edge’s sessions that is hit beyond what is expected; 0.3 is three viewers of ten.',
  vitrine_viewers_excess_verdict:
    'What viewers say of an edge: 1 for the verdict that holds (`against`, `usual`, `too-few`), 0 for the others.',
  vitrine_viewers_exits_before_start_total:
    'Sessions that left before the first frame without an error. Rising: look at the start time.',
  vitrine_viewers_failures_total: 'Sessions that a fatal error ended after the first frame.',
  vitrine_viewers_grants_total:
    'Grants of the operator’s site by what they proved. Refusals growing: its clock or its key is wrong, or somebody tries.',
  vitrine_viewers_rebuffering_seconds_total:
    'Seconds of stalls after the first frame, without seeks. By the seconds asked for it is the rebuffering ratio.',
  vitrine_viewers_rebuffers_total: 'Stalls after the first frame, without seeks.',
  vitrine_viewers_records_total:
    'Records of viewers by what became of them. late growing: an edge tells late; clock: players with wrong clocks; ahead: an edge with one; bad-time, absurd: somebody lies; removed: of sessions that were deleted.',
  vitrine_viewers_sessions_evicted_total:
    'Sessions pushed out because there were too many. dropped growing: somebody floods with session ids.',
  vitrine_viewers_sessions_total: 'Sessions in which somebody wanted to play something.',
  vitrine_viewers_stall_seconds_total: 'Seconds of judged stalls, by whom they are laid to.',
  vitrine_viewers_stalls_total: 'Judged stalls, by whom they are laid to.',
  vitrine_viewers_start_failures_total: 'Sessions that a fatal error ended before the first frame.',
  vitrine_viewers_started_total: 'Sessions that came to a first frame.',
  vitrine_viewers_switches_total: 'Changes of the bitrate that is shown.',
  vitrine_viewers_watched_seconds_total: 'Seconds of playing; 3,600 are a viewer-hour.',
}

const GAUGES: Readonly<Record<string, string>> = {
  ALERTS: '1 for each alert that is pending or firing; the labels are those of the alert.',
  chrony_tracking_frequency_ppms: 'How fast this clock runs wrong, uncorrected.',
  chrony_tracking_last_offset_seconds: 'Offset at the last update.',
  chrony_tracking_residual_frequency_ppms: 'What the last update said about the frequency.',
  chrony_tracking_rms_offset_seconds: 'Long-term average of the offset.',
  chrony_tracking_root_delay_seconds: 'Round trip to the reference clock.',
  chrony_tracking_root_dispersion_seconds: 'What the way to the reference clock adds.',
  chrony_tracking_skew_ppms: 'How well the frequency is known.',
  chrony_tracking_stratum: 'Distance from a reference clock. 16: not synchronised.',
  chrony_tracking_system_time_seconds: 'Offset that chronyd still slews away.',
  chrony_tracking_update_interval_seconds: 'Between the last two updates.',
  node_filesystem_avail_bytes:
    'Bytes left on the file system. Near 0: caches and the metrics store stop keeping.',
  node_filesystem_size_bytes: 'Size of the file system.',
  node_load1: 'Load average over 1 minute. It lags: prefer CPU seconds for alerts.',
  node_load15: 'Load average over 15 minutes.',
  node_load5: 'Load average over 5 minutes.',
  node_memory_MemAvailable_bytes:
    'Memory that programs can still take without swapping. Near 0: the host will kill processes.',
  node_memory_MemTotal_bytes: 'Memory of the host.',
  node_timex_estimated_error_seconds: 'How far off the clock is held to be.',
  node_timex_frequency_adjustment_ratio: 'Rate of the corrected clock by its own: 1 is uncorrected.',
  node_timex_maxerror_seconds:
    'Most that the clock may be off, by the kernel. It grows while nobody keeps it; 16 is its end.',
  node_timex_offset_seconds:
    'What the time daemon still has to correct on this host. Far from 0: its clock is off.',
  node_timex_status:
    'Status bits: 16 a leap second will be inserted, 32 one will be deleted, 64 not synchronised.',
  node_timex_sync_status:
    '0: nobody keeps this clock. chronyd without rtcsync shows 0 too: look at the maximum error.',
  node_timex_tai_offset_seconds: 'TAI minus UTC as the kernel knows it; 0 when nobody told.',
  process_resident_memory_bytes:
    'Resident memory of this process. Climbing without end is a leak: report it with a heap snapshot.',
  vitrine_agent_host_info: 'Always 1; servers with the same host_id share a host.',
  vitrine_agent_push_queue_passes:
    'Passes that wait for the control room, one a second. 600 is the most; then the oldest are dropped.',
  vitrine_clock_daemon:
    '1 for the time daemon that answers on this host. None: nobody keeps its clock, or the agent may not ask.',
  vitrine_clock_daemon_leap_indicator:
    '0 none, 1 a second is inserted, 2 one is deleted, 3 not synchronised, by the time daemon.',
  vitrine_clock_daemon_offset_seconds: 'What the time daemon still has to correct; ahead is positive.',
  vitrine_clock_error_bound_seconds:
    'Most that this clock may be off by what its daemon or the kernel knows. Above 0.1: look at its time sources.',
  vitrine_clock_fleet_offset_seconds:
    'Wall clock of this host minus fleet time. More than some milliseconds: its clock is wrong.',
  vitrine_clock_hrtimer_offset_error_seconds:
    'How far the kernel’s timers stand from its wall clock. 1 after a leap second is the fault of 2012: set the clock.',
  vitrine_clock_leap_pending:
    'The kernel will insert (1) or delete (-1) a second at the end of the UTC day. No leap second is planned: look where the flag comes from.',
  vitrine_clock_readable:
    'Whether the agent may read this part of the clock. 0: run it with more rights to see it.',
  vitrine_clock_realtime_timer_early_seconds:
    'How early timers on the wall clock fire; 0 is healthy, at least 2 is the most that is seen. Else programs spin as in 2012: set the clock (runbook reset-clock).',
  vitrine_clock_source_leap_indicator:
    'Leap bits of each time server: 1 or 2 say that a second will be inserted or deleted, which none should.',
  vitrine_clock_source_offset_seconds:
    'This clock minus each time server’s. Servers that differ from each other: one of them lies.',
  vitrine_clock_source_rtt_seconds: 'Round trip to each time server.',
  vitrine_clock_source_stratum: 'Distance of each time server from a reference clock.',
  vitrine_clock_sources:
    'Time servers by whether they smear leap seconds. Both kinds on one host: it is half a second off around one.',
  vitrine_clock_step_seconds:
    'The last step of the wall clock since the agent began, forwards positive. 0: none.',
  vitrine_control_channels:
    'Open channels. Fewer than two for each server: a server or its agent cannot reach the control room.',
  vitrine_control_fleet_time_followed_seconds:
    'What fleet time has followed of whole seconds that most hosts took together, since the start. -1: a leap second was inserted.',
  vitrine_control_fleet_time_held_seconds:
    'Fleet time minus the wall clock at the start. Other than 0: the clock lay behind the newest sample, or was set by far. Set this host’s clock.',
  vitrine_control_host_notes_bytes:
    'Bytes of top processes and kernel messages on disk; beyond 512 MB the oldest go.',
  vitrine_control_pathway_changes_dropped:
    'Changes of sessions’ pathways that were not stored since the start. Above 0: more came than the database takes.',
  vitrine_control_regions_file_refused:
    'Above 0: the file of regions has changed and cannot be read; the table before it is in use.',
  vitrine_edge_cache_bytes: 'Bytes in each tier of the cache; it grows to its limit and stays there.',
  vitrine_edge_cache_disk_failing:
    'Whether the disk of the cache takes nothing, and why: full (no room or quota) or error. What is not in memory comes from the origin again.',
  vitrine_edge_connections: 'Open connections of viewers. Near viewersMax: add an edge.',
  vitrine_edge_sessions: 'Sessions that this edge fed in the last 30 s.',
  vitrine_edge_steering_table_age_seconds:
    'Age of the steering table. Above 30 s: the control room is away, and own probes have a say.',
  vitrine_fleet_agent_age_seconds:
    'How long ago the agent was heard. Above 3 s: the host or its network is in trouble.',
  vitrine_fleet_capacity_bytes_per_second:
    'What the tag capacityBps says that the edge can send, in bytes. No series: it has no such tag.',
  vitrine_fleet_server_state: '1 for the state that the server is in, 0 for the others.',
  vitrine_fleet_steering_exhausted:
    '1 while no edge is fit to take viewers: steering keeps the least bad one.',
  vitrine_fleet_steering_weight: 'Share of new viewers. 0: steering sends nobody there.',
  vitrine_fleet_watching:
    'Viewers last fed by this edge in the last 30 s, by class of title. The edges sum to the fleet’s total.',
  vitrine_fleet_watching_estimated:
    'Of which counted by address and user agent, because the player told no session id.',
  vitrine_fleet_watching_simulated: 'Of which simulated by `vitrine simulate viewers`: nobody sits there.',
  vitrine_incident_viewers_hurt:
    'Viewers that an open incident hurts now, by its id. It ends with the incident; its page draws it above CPU.',
  vitrine_metrics_store_failing:
    '1 while the disk of the metrics store refuses samples. Absent from queries for that time, as it is not stored either.',
  vitrine_origin_titles: 'Titles by state. Broken ones are listed with their reason on the titles page.',
  vitrine_probe_budget_bytes: 'What looks at the stream of this server may fetch in a month.',
  vitrine_probe_certificate_days:
    'Days until the certificate that viewers are shown ends, the fewest that any observer saw. Below 14: renew it.',
  vitrine_probe_http_seconds:
    'How long the server took to answer the observer’s request. Far above its peers: it is overloaded.',
  vitrine_probe_observers:
    'Observers that looked in the last 3 s, by result. Some answered and some failed: a path is sick, not the server.',
  vitrine_probe_clock_offset_seconds:
    'Clock of this server minus fleet time, by the Date header of its answers, to the second. It is seen even where its agent cannot say so because its clock is wrong.',
  vitrine_probe_ping_seconds:
    'ICMP round trip from the observer, where ping is permitted. Its change tells of the path, not of the process.',
  vitrine_probe_play_speed_ratio:
    'Seconds of media that one whole segment brought in a second, at the last such look. Below 1 viewers stall.',
  vitrine_probe_play_start_seconds:
    'From the first request of a look until a segment was here, as a player begins. Above 3 s viewers leave.',
  vitrine_probe_play_success:
    '1 while the observer can play from this server: playlists and a part of a segment came. 0 with check http 1: it answers and does not serve.',
  vitrine_probe_players:
    'Observers that played a little of its stream in the last minute, by result. Two failed: viewers are moved off it.',
  vitrine_probe_success:
    '1 while the observer gets an answer: check icmp is a ping, connect is TCP, tls a handshake that viewers trust, http a real request. connect 1 with http 0: a frozen process.',
  vitrine_probe_tls_seconds:
    'TLS handshake after TCP connect, as the observer sees it. Rising with HTTP steady: the host is short of CPU.',
  vitrine_probe_used_bytes:
    'What looks at the stream of this server fetched this month. At the budget nobody looks until the next month.',
  vitrine_process_build_info: 'Always 1; the version of this process as a label.',
  vitrine_process_event_loop_delay_seconds:
    'How late timers fire, by quantile, since the last collection. Above 0.1 s the process is overloaded.',
  vitrine_server_process_stopped:
    '1 while the server is frozen (SIGSTOP): it accepts connections and answers nothing. kill -CONT thaws it.',
  vitrine_server_processes: 'Processes of the group. 0 or 1: the server is gone.',
  vitrine_server_resident_memory_bytes: 'Resident memory of the process group.',
  vitrine_viewers_sessions_bytes:
    'Memory of the sessions that are being assembled; at most 640 MiB, beyond it sessions are pushed out.',
  vitrine_viewers_sessions_open: 'Sessions of viewers that are being assembled; at most 100,000.',
  vitrine_viewers_stored_bytes: 'Bytes of sessions on disk; beyond the retention budget the oldest days go.',
  vitrine_viewers_sums_folded:
    'How often a sum went to other, because edges, regions and players were too many to tell apart.',
}

const HISTOGRAMS: Readonly<Record<string, string>> = {
  vitrine_viewers_start_seconds: 'From the play instruction to the first frame.',
  vitrine_edge_first_byte_seconds:
    'From a request for media to the first byte of its answer. When it rises, look at the hit ratio, then at the origin.',
}

export const METRIC_NOTES: ReadonlyMap<string, MetricNote> = new Map([
  ...notes('counter', COUNTERS),
  ...notes('gauge', GAUGES),
  ...notes('histogram', HISTOGRAMS),
])

function notes(type: MetricType, helps: Readonly<Record<string, string>>): [string, MetricNote][] {
  return Object.entries(helps).map(([name, help]) => [name, { type, help }])
}
