/*
 * The floor under every loader: an IPVS table through raw generic netlink with as little between
 * the numbers and the kernel as C allows. One buffer, `batch` messages a sendmsg, an ACK asked for
 * on the last message of each batch only: netlink_rcv_skb() walks a whole datagram, and a message
 * that fails is answered with its sequence number whether it asked for an ACK or not.
 *
 *   sender load SERVICES DESTINATIONS BATCH    create the table
 *   sender weight SERVICES DESTINATIONS COUNT  the table is there: COUNT times edit one weight
 *
 * Prints {"ns": [...]}: the time from the first message written to the last ACK read, and for
 * `weight` one time an edit. Addresses and settings are those of shapes.py.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/ip_vs.h>
#include <linux/netlink.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define FIRST_VIP 0x0a000001u     /* 10.0.0.1 */
#define FIRST_BACKEND 0xc6120001u /* 198.18.0.1 */
#define SERVICE_PORT 80
#define DESTINATION_PORT 8080
#define WEIGHT 10
#define LARGEST_MESSAGE 160
#define LARGEST_BATCH 1024

static int netlink;
static uint16_t family;
static uint32_t sequence;
static char buffer[LARGEST_MESSAGE * LARGEST_BATCH];
static char *end = buffer;
static struct nlmsghdr *last;

static void die(const char *what, int error) {
    fprintf(stderr, "sender: %s: %s\n", what, strerror(error));
    exit(1);
}

static int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void start(uint16_t type, uint8_t command, uint8_t version) {
    last = (struct nlmsghdr *)end;
    *last = (struct nlmsghdr){.nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST, .nlmsg_seq = ++sequence};
    *(struct genlmsghdr *)(last + 1) = (struct genlmsghdr){.cmd = command, .version = version};
    end += NLMSG_HDRLEN + GENL_HDRLEN;
}

static void put(uint16_t type, const void *value, size_t size) {
    struct nlattr *attribute = (struct nlattr *)end;
    *attribute = (struct nlattr){.nla_len = NLA_HDRLEN + size, .nla_type = type};
    memcpy(attribute + 1, value, size);
    end += NLA_HDRLEN + NLA_ALIGN(size);
}

static void put16(uint16_t type, uint16_t value) { put(type, &value, sizeof value); }
static void put32(uint16_t type, uint32_t value) { put(type, &value, sizeof value); }

static void put_address(uint16_t type, uint32_t address) {
    uint32_t wide[4] = {htonl(address)}; /* union nf_inet_addr */
    put(type, wide, sizeof wide);
}

static struct nlattr *open_nest(uint16_t type) {
    struct nlattr *nest = (struct nlattr *)end;
    *nest = (struct nlattr){.nla_type = type | NLA_F_NESTED};
    end += NLA_HDRLEN;
    return nest;
}

static void close_nest(struct nlattr *nest) { nest->nla_len = end - (char *)nest; }

static void finish(void) {
    last->nlmsg_len = end - (char *)last;
}

/* Send what is in the buffer and wait for the ACK of its last message. */
static void flush(void) {
    static char answer[65536];
    if (end == buffer) return;
    last->nlmsg_flags |= NLM_F_ACK;
    if (send(netlink, buffer, end - buffer, 0) < 0) die("send", errno);
    end = buffer;
    for (;;) {
        ssize_t size = recv(netlink, answer, sizeof answer, 0);
        if (size < 0) die("recv", errno);
        for (struct nlmsghdr *m = (struct nlmsghdr *)answer; NLMSG_OK(m, size); m = NLMSG_NEXT(m, size)) {
            if (m->nlmsg_type != NLMSG_ERROR) continue;
            int error = ((struct nlmsgerr *)NLMSG_DATA(m))->error;
            if (error) die("kernel", -error);
            if (m->nlmsg_seq == sequence) return;
        }
    }
}

static void put_service_key(uint32_t service) {
    put16(IPVS_SVC_ATTR_AF, AF_INET);
    put16(IPVS_SVC_ATTR_PROTOCOL, IPPROTO_TCP);
    put_address(IPVS_SVC_ATTR_ADDR, FIRST_VIP + service);
    put16(IPVS_SVC_ATTR_PORT, htons(SERVICE_PORT));
}

static void new_service(uint32_t service) {
    struct ip_vs_flags flags = {.flags = 0, .mask = ~0u};
    start(family, IPVS_CMD_NEW_SERVICE, IPVS_GENL_VERSION);
    struct nlattr *nest = open_nest(IPVS_CMD_ATTR_SERVICE);
    put_service_key(service);
    put(IPVS_SVC_ATTR_SCHED_NAME, "wlc", 4);
    put(IPVS_SVC_ATTR_FLAGS, &flags, sizeof flags);
    put32(IPVS_SVC_ATTR_TIMEOUT, 0);
    put32(IPVS_SVC_ATTR_NETMASK, ~0u);
    close_nest(nest);
    finish();
}

static void destination(uint8_t command, uint32_t service, uint32_t address, uint32_t weight) {
    start(family, command, IPVS_GENL_VERSION);
    struct nlattr *nest = open_nest(IPVS_CMD_ATTR_SERVICE);
    put_service_key(service);
    close_nest(nest);
    nest = open_nest(IPVS_CMD_ATTR_DEST);
    put_address(IPVS_DEST_ATTR_ADDR, address);
    put16(IPVS_DEST_ATTR_PORT, htons(DESTINATION_PORT));
    put32(IPVS_DEST_ATTR_FWD_METHOD, IP_VS_CONN_F_MASQ);
    put32(IPVS_DEST_ATTR_WEIGHT, weight);
    put32(IPVS_DEST_ATTR_U_THRESH, 0);
    put32(IPVS_DEST_ATTR_L_THRESH, 0);
    close_nest(nest);
    finish();
}

/* genetlink answers GETFAMILY with CTRL_ATTR_FAMILY_ID among its attributes. */
static void find_family(void) {
    static char answer[8192];
    start(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 1);
    put(CTRL_ATTR_FAMILY_NAME, IPVS_GENL_NAME, sizeof IPVS_GENL_NAME);
    finish();
    if (send(netlink, buffer, end - buffer, 0) < 0) die("send", errno);
    end = buffer;
    if (recv(netlink, answer, sizeof answer, 0) < 0) die("recv", errno);
    struct nlmsghdr *m = (struct nlmsghdr *)answer;
    if (m->nlmsg_type == NLMSG_ERROR) die("family " IPVS_GENL_NAME, -((struct nlmsgerr *)NLMSG_DATA(m))->error);
    char *at = (char *)NLMSG_DATA(m) + GENL_HDRLEN;
    while (at < answer + m->nlmsg_len) {
        struct nlattr *a = (struct nlattr *)at;
        if (a->nla_type == CTRL_ATTR_FAMILY_ID) family = *(uint16_t *)(a + 1);
        at += NLA_ALIGN(a->nla_len);
    }
}

static void load(uint32_t services, uint32_t destinations, uint32_t batch) {
    uint32_t queued = 0;
    int64_t began = now();
    for (uint32_t s = 0; s < services; s++) {
        for (uint32_t d = 0; d <= destinations; d++) {
            if (d == 0)
                new_service(s);
            else
                destination(IPVS_CMD_NEW_DEST, s, FIRST_BACKEND + s * destinations + d - 1, WEIGHT);
            if (++queued == batch) flush(), queued = 0;
        }
    }
    flush();
    printf("{\"ns\": [%lld]}\n", (long long)(now() - began));
}

/* Spread over the table: the place of a service in it must not matter. */
static void weigh(uint32_t services, uint32_t destinations, uint32_t count) {
    printf("{\"ns\": [");
    for (uint32_t n = 0; n < count; n++) {
        uint32_t s = (uint64_t)(n + 1) * services / (count + 1);
        int64_t began = now();
        destination(IPVS_CMD_SET_DEST, s, FIRST_BACKEND + s * destinations, WEIGHT + 1 + n % 2);
        flush();
        printf("%s%lld", n ? ", " : "", (long long)(now() - began));
    }
    printf("]}\n");
}

int main(int argc, char **argv) {
    if (argc != 5) die("usage: sender load|weight N N N", EINVAL);
    uint32_t one = atoi(argv[2]), two = atoi(argv[3]), three = atoi(argv[4]);
    int room = sizeof buffer * 2;
    netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
    if (netlink < 0) die("socket", errno);
    if (setsockopt(netlink, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room) < 0) die("SO_SNDBUFFORCE", errno);
    find_family();
    if (!strcmp(argv[1], "load") && three >= 1 && three <= LARGEST_BATCH)
        load(one, two, three);
    else if (!strcmp(argv[1], "weight"))
        weigh(one, two, three);
    else
        die(argv[1], EINVAL);
    return 0;
}
