// What the server and its C-STORE listener say to each other, and the list of peers: the first byte chooses which.
// covers: viewer/dicom/netproto.c viewer/dicom/peers.c
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "viewer/dicom/netproto.h"
#include "viewer/dicom/peers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int good)
{
    if (!good) __builtin_trap();
}

static void peers(const uint8_t *data, size_t size)
{
    static cn_dicom_peer list[CN_PEERS_MAX];
    size_t count = 0;
    cn_problem problem = {.err = CN_OK};
    char *text = malloc(size + 1);
    if (!text) return;
    memcpy(text, data, size);
    text[size] = '\0';
    if (cn_peers_parse(text, list, &count, &problem) == CN_OK)
        for (size_t i = 0; i < count; i++) must(cn_peers_find(list, count, list[i].title, list[i].address) != NULL);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cn_net_arrival arrival = {.association = 0};
    cn_net_hello hello;
    cn_net_file file;
    cn_net_verdict verdict;
    char path[32];
    if (size < 1) return 0;
    if (data[0] == 'p') peers(data + 1, size - 1);
    if (cn_net_arrival_read(data + 1, size - 1, &arrival)) must(strlen(arrival.address) < CN_NET_ADDRESS);
    if (cn_net_hello_read(data + 1, size - 1, &hello)) must(strlen(hello.calling) < CN_NET_TITLE);
    if (cn_net_file_read(data + 1, size - 1, &file)) must(!strchr(file.instance, '/'));
    if (cn_net_verdict_read(data + 1, size - 1, &verdict)) must(verdict.status <= 0xffff);
    if (cn_net_spool_path("spool", arrival.association, (uint32_t)size, path, sizeof(path)))
        must(strncmp(path, "spool/", 6) == 0);
    return 0;
}
