#!/usr/bin/env bash
# libsrtp of Debian 12, AEAD_AES_128_GCM.
#
# Expected: srtp_create takes the keys, and protecting a packet costs what the cipher costs on a key that stays, which for a report or a voice
# packet of 100 bytes is some hundred nanoseconds.
# What happens: Debian builds libsrtp with NSS. Its AES-GCM calls PK11_Encrypt and PK11_Decrypt, NSS's calls for one message alone, which set the
# cipher up with its key each time: once for every packet. The calls for 1,000 packets on one key are counted here (1,000), and the time is told
# beside OpenSSL's on a context that keeps its key (some three times as long where this was written; the count decides).
# Why it matters here: a server that sends each packet to hundreds of receivers pays it hundreds of times; all receivers' reports alone, through
# libsrtp, took 7.8 % of the forwarding thread of a room of 200. The server keeps its own AES-GCM, tested against libsrtp byte for byte.
#
# Fetches pinned Debian packages (apt-get download) into a temporary folder and installs nothing. Needs Debian 12 with gcc, libssl-dev and libnss3.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
for package in libsrtp2-1=2.5.0-3 libsrtp2-dev=2.5.0-3; do
    apt-get download -q "$package" >/dev/null 2>&1 || { echo "no $package: apt-get update?"; exit 1; }
done
for file in *.deb; do dpkg -x "$file" root; done
library=root/usr/lib/$(gcc -print-multiarch)

cat >count.c <<'C'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
/* both have these nine arguments in nss/pk11pub.h; only the pointers' sizes matter */
typedef int (*one_shot)(void *, unsigned long, void *, void *, void *, unsigned, const void *, unsigned);
static unsigned long sealed;
int PK11_Encrypt(void *key, unsigned long how, void *param, void *out, void *out_n, unsigned max, const void *in, unsigned n)
{
    static one_shot real;
    if (!real) *(void **)&real = dlsym(RTLD_NEXT, "PK11_Encrypt");
    sealed++;
    return real(key, how, param, out, out_n, max, in, n);
}
__attribute__((destructor)) static void tell(void) { printf("%lu\n", sealed); }
C
cat >try.c <<'C'
#include <openssl/evp.h>
#include <srtp2/srtp.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
static double us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}
int main(int argc, char **argv)
{
    (void)argv;
    int packets = argc > 1 ? 0 : 1000; /* what the library tries of itself at the start is counted apart */
    unsigned char key[28] = {1, 2, 3}, packet[200], tag[16], iv[12] = {0};
    srtp_policy_t policy;
    memset(&policy, 0, sizeof policy);
    srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp);
    srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtcp);
    policy.ssrc.type = ssrc_any_outbound;
    policy.key = key;
    srtp_t session;
    if (srtp_init() || srtp_create(&session, &policy)) return 1;
    double from = us();
    for (int i = 0; i < packets; i++) {
        int n = 100;
        memset(packet, 0, sizeof packet);
        packet[0] = 0x80, packet[1] = 96, packet[2] = (unsigned char)(i >> 8), packet[3] = (unsigned char)i, packet[11] = 7;
        if (srtp_protect(session, packet, &n) || n != 116) return 1;
    }
    double lib = us() - from;
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    EVP_EncryptInit_ex(ctx, EVP_aes_128_gcm(), NULL, key, NULL);
    from = us();
    for (int i = 0, n; i < packets; i++) {
        iv[11] = (unsigned char)i;
        EVP_EncryptInit_ex(ctx, NULL, NULL, NULL, iv);
        EVP_EncryptUpdate(ctx, NULL, &n, packet, 12);
        EVP_EncryptUpdate(ctx, packet + 12, &n, packet + 12, 88);
        EVP_EncryptFinal_ex(ctx, packet, &n);
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, 16, tag);
    }
    if (packets) fprintf(stderr, "%s: %.2f us a packet, a kept key %.2f us\n", srtp_get_version_string(), lib / 1000, (us() - from) / 1000);
    return 0;
}
C
gcc -O2 -shared -fPIC -o count.so count.c -ldl
gcc -O2 -Iroot/usr/include -o try try.c -L"$library" -lsrtp2 -lcrypto
calls() { LD_LIBRARY_PATH=$library LD_PRELOAD=./count.so ./try "$@"; }
all=$(calls) none=$(calls without)
echo "for 1,000 packets PK11_Encrypt was called $((all - none)) times"
[ $((all - none)) -eq 1000 ] || { echo "another behaviour than was written down"; exit 1; }
echo "as written down: the cipher is set up for every packet"
